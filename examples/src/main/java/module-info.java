/** Programs a newcomer runs and copies. */
module io.vmm4j.examples {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires io.vmm4j.engine;
  requires io.vmm4j.devices;
  requires io.vmm4j.guests;
  requires org.slf4j;

  exports io.vmm4j.examples.thermometer;

  // This is all it takes for a device of one's own to be found.
  provides io.vmm4j.api.device.DeviceFactory with
      io.vmm4j.examples.thermometer.ThermometerFactory;
}
