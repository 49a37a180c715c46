/** Machine assembly, memory, buses, boot and clock. Backends come through ServiceLoader. */
@SuppressWarnings("module") // the test kit is built after it
module io.vmm4j.engine {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires io.vmm4j.snapshot;
  requires io.vmm4j.x86;
  requires jdk.jfr;
  requires org.slf4j;
  requires org.tukaani.xz;

  exports io.vmm4j.engine.machine to
      io.vmm4j.testkit;
  exports io.vmm4j.engine.machine.bus to
      io.vmm4j.testkit;

  uses io.vmm4j.api.backend.VmBackend;
  uses io.vmm4j.api.device.Board;
  uses io.vmm4j.api.device.DeviceFactory;

  provides io.vmm4j.api.VmEngine with
      io.vmm4j.engine.VmEngineProvider;
}
