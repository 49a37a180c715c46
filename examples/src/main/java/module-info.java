/** Programs a newcomer runs and copies. */
module io.vmm4j.examples {
  requires static org.jspecify;
  requires io.vmm4j.api;
  requires io.vmm4j.engine;
  requires io.vmm4j.devices;
  requires io.vmm4j.guests;
  requires org.slf4j;
}
