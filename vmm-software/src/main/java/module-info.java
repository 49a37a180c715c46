/** The backend with a processor in software; found through ServiceLoader. */
module io.vmm4j.software {
  requires static org.jspecify;
  requires io.vmm4j.api;
  requires io.vmm4j.x86;
  requires org.slf4j;

  provides io.vmm4j.api.backend.VmBackend with
      io.vmm4j.software.SoftwareBackend;
}
