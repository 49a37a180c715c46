package io.vmm4j.kvm;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.x86.XsaveLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What this host can't give a guest.
 *
 * @param missing features that its processor or kernel lacks
 * @param pkruOffset where its XSAVE areas have PKRU; 0 if they have none
 * @param tscFrequencyHz the frequency of its time-stamp counter, to the kHz, if it can't be scaled;
 *     else 0
 * @param tolerancePpm how far a guest's counter may be off without scaling, by the kernel's opinion
 */
record HostLimits(Set<CpuFeature> missing, int pkruOffset, long tscFrequencyHz, long tolerancePpm) {
  /** The kernel gives these whatever the processor is, or they promise nothing of effect. */
  private static final Set<CpuFeature> ALWAYS =
      EnumSet.of(
          CpuFeature.HYPERVISOR,
          CpuFeature.X2APIC,
          CpuFeature.TSC_DEADLINE,
          CpuFeature.ARCH_CAPABILITIES,
          CpuFeature.MTRR,
          CpuFeature.ERMS,
          CpuFeature.FSRM,
          CpuFeature.SS);

  private static final Path TOLERANCE = Path.of("/sys/module/kvm/parameters/tsc_tolerance_ppm");

  /** The kernel's own default. */
  private static final long USUAL_TOLERANCE_PPM = 250;

  /** Asks the kernel; makes a machine of one vCPU for it, and closes it. */
  static HostLimits of(KvmDevice device) {
    Set<CpuFeature> missing = EnumSet.complementOf(EnumSet.copyOf(ALWAYS));
    List<CpuidLeaf> supported = device.supportedCpuid();
    missing.removeAll(CpuFeature.of(supported));
    long frequency = 0;
    if (device.check(Capability.KVM_CAP_TSC_CONTROL) == 0) {
      int vm = device.createVm();
      try {
        int vcpu = Libc.ioctl(vm, Ioctl.KVM_CREATE_VCPU, 0);
        try {
          frequency = 1000L * Libc.ioctl(vcpu, Ioctl.KVM_GET_TSC_KHZ, 0);
        } finally {
          Libc.close(vcpu);
        }
      } finally {
        Libc.close(vm);
      }
    }
    int pkruOffset = XsaveLayout.of(supported).pkruOffset();
    return new HostLimits(missing, pkruOffset, frequency, tolerance());
  }

  private static long tolerance() {
    try {
      return Long.parseLong(Files.readString(TOLERANCE).strip());
    } catch (IOException | NumberFormatException e) {
      return USUAL_TOLERANCE_PPM;
    }
  }

  /**
   * The features that leaves claim and the host lacks. PKU is one if the host's XSAVE areas are
   * laid out in another way: the guest executes XSAVE itself.
   */
  Set<CpuFeature> lacking(List<CpuidLeaf> wanted) {
    Set<CpuFeature> claimed = CpuFeature.of(wanted);
    boolean otherLayout =
        claimed.contains(CpuFeature.PKU) && XsaveLayout.of(wanted).pkruOffset() != pkruOffset;
    claimed.retainAll(missing);
    if (otherLayout) {
      claimed.add(CpuFeature.PKU);
    }
    return claimed;
  }

  /** The frequency of the counter that a guest can have instead of a wanted one. */
  long possibleTscFrequencyHz(long wantedHz) {
    return isPossible(wantedHz) ? wantedHz : tscFrequencyHz;
  }

  private boolean isPossible(long wantedHz) {
    return tscFrequencyHz == 0
        || Math.abs(wantedHz - tscFrequencyHz) <= tscFrequencyHz / 1_000_000 * tolerancePpm;
  }
}
