# Sourced by ./test and .ci/run.

# kvm_usable: whether this process can open the host's /dev/kvm.
kvm_usable() {
  [ -c /dev/kvm ] && (: <>/dev/kvm) 2>/dev/null
}
