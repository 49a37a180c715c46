/** What users and device authors write against; depends on nothing. */
module io.vmm4j.api {
  requires static transitive org.jspecify;

  exports io.vmm4j.api;
  exports io.vmm4j.api.backend;
  exports io.vmm4j.api.boot;
  exports io.vmm4j.api.channel;
  exports io.vmm4j.api.clock;
  exports io.vmm4j.api.debug;
  exports io.vmm4j.api.device;
  exports io.vmm4j.api.firmware;
  exports io.vmm4j.api.input;
  exports io.vmm4j.api.memory;
  exports io.vmm4j.api.network;
  exports io.vmm4j.api.pci;
  exports io.vmm4j.api.state;
  exports io.vmm4j.api.vsock;

  uses io.vmm4j.api.VmEngine;
}
