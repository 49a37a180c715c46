/** The backend on the host's processor, through /dev/kvm; found through ServiceLoader. */
module io.vmm4j.kvm {
  requires static org.jspecify;
  requires io.vmm4j.api;
  requires io.vmm4j.x86;

  provides io.vmm4j.api.backend.VmBackend with
      io.vmm4j.kvm.KvmBackend;
}
