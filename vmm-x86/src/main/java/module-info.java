/** What backends and boot loaders need of the x86 architecture; no API of users. */
@SuppressWarnings("module") // its users are built after it
module io.vmm4j.x86 {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;

  exports io.vmm4j.x86 to
      io.vmm4j.engine,
      io.vmm4j.kvm,
      io.vmm4j.software;
}
