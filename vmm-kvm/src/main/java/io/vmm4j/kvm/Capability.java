package io.vmm4j.kvm;

/** What a kernel's KVM may be able to do ({@code KVM_CAP_…} of {@code <linux/kvm.h>}). */
enum Capability {
  KVM_CAP_USER_MEMORY(3, true),
  KVM_CAP_EXT_CPUID(7, true),
  KVM_CAP_MP_STATE(14, true),
  KVM_CAP_SET_GUEST_DEBUG(23, true),
  KVM_CAP_IRQ_ROUTING(25, true),
  KVM_CAP_IRQFD(32, true),
  KVM_CAP_IOEVENTFD(36, true),
  KVM_CAP_VCPU_EVENTS(41, true),
  KVM_CAP_DEBUGREGS(50, true),
  KVM_CAP_XSAVE(55, true),
  KVM_CAP_XCRS(56, true),
  KVM_CAP_GET_TSC_KHZ(61, true),
  KVM_CAP_TSC_DEADLINE_TIMER(72, true),
  KVM_CAP_SIGNAL_MSI(77, true),
  KVM_CAP_READONLY_MEM(81, true),
  KVM_CAP_SPLIT_IRQCHIP(121, true),
  KVM_CAP_X2APIC_API(129, true),
  KVM_CAP_IMMEDIATE_EXIT(136, true),
  KVM_CAP_EXCEPTION_PAYLOAD(164, true),
  KVM_CAP_X86_USER_SPACE_MSR(188, true),
  KVM_CAP_X86_MSR_FILTER(189, true),

  KVM_CAP_TSC_CONTROL(60, false),
  KVM_CAP_MAX_VCPUS(66, false),
  KVM_CAP_DISABLE_QUIRKS2(213, false);

  private final int number;
  private final boolean required;

  Capability(int number, boolean required) {
    this.number = number;
    this.required = required;
  }

  int number() {
    return number;
  }

  /** Whether the backend can't do without. */
  boolean isRequired() {
    return required;
  }
}
