/**
 * The KVM backend: the host's processor through /dev/kvm, by {@code java.lang.foreign} alone.
 *
 * <p>It calls restricted methods, and needs {@code --enable-native-access=io.vmm4j.kvm}. The local
 * APICs are KVM's, all other devices ours (the split irqchip). The interface is that of the Linux
 * kernel's Documentation/virt/kvm/api.rst.
 */
@NullMarked
package io.vmm4j.kvm;

import org.jspecify.annotations.NullMarked;
