/** The command line, vmm. */
module io.vmm4j.cli {
  requires static org.jspecify;
  requires io.vmm4j.api;
  requires io.vmm4j.engine;
  requires io.vmm4j.devices;
  requires io.vmm4j.guests;
  requires info.picocli;
  requires org.slf4j;
}
