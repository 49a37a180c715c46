/** The command line, vmm. */
module io.vmm4j.cli {
  requires static org.jspecify;
  requires io.vmm4j.api;
  requires io.vmm4j.control;
  requires io.vmm4j.engine;
  requires io.vmm4j.gdb;
  requires io.vmm4j.devices;
  requires io.vmm4j.guests;
  requires io.vmm4j.snapshot;
  requires io.vmm4j.vsock;
  requires com.fasterxml.jackson.core;
  requires info.picocli;
  requires org.slf4j;

  uses io.vmm4j.api.device.DeviceFactory;

  opens io.vmm4j.cli to
      info.picocli;
}
