# Sourced by ./test and .ci/run.

# kvm_in_software: whether the host's KVM has no processor behind it that virtualises. Its guests' kernel
# code is emulated, in part, so tests of the backend would be tests of that.
kvm_in_software() {
  [ -d /sys/module/kvm_pvm ]
}

# kvm_usable: whether this process can open the host's /dev/kvm, and there is a processor behind it.
kvm_usable() {
  [ -c /dev/kvm ] && (: <>/dev/kvm) 2>/dev/null && ! kvm_in_software
}
