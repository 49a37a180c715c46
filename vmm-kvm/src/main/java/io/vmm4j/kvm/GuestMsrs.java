package io.vmm4j.kvm;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.x86.InertMsrs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * The model-specific registers of a vCPU. The kernel has those that do something; all others are
 * filtered, so that the guest finds the same registers, and the same faults, as on any other
 * backend.
 */
final class GuestMsrs {
  private static final int APIC_BASE = 0x1B;
  private static final int TSC_ADJUST = 0x3B;
  private static final int TSC_DEADLINE = 0x6E0;
  private static final int TSC_AUX = 0xC0000103;
  private static final int FS_BASE = 0xC0000100;
  private static final int GS_BASE = 0xC0000101;
  private static final int EFER = 0xC0000080;

  /** Those that the kernel has, but for TSC, by unsigned index. The x2APIC's can't be filtered. */
  private static final int[] KERNEL = {
    APIC_BASE,
    TSC_ADJUST,
    0x174,
    0x175,
    0x176,
    0x277,
    TSC_DEADLINE,
    EFER,
    0xC0000081,
    0xC0000082,
    0xC0000083,
    0xC0000084,
    FS_BASE,
    GS_BASE,
    0xC0000102,
    TSC_AUX
  };

  private static final int TSC = 0x10;

  private static final int FILTER_BYTES = 392;
  private static final int FILTER_RANGES = 8;
  private static final int RANGE_BYTES = 24;
  private static final int DENY_OTHERS = 1;
  private static final int READ_AND_WRITE = 3;
  private static final int[] RANGES = {0x00, 0x170, 0x270, 0x6E0, 0xC0000080, 0xC0000100};
  private static final int RANGE_MSRS = 64;

  private final MsrAccess access;
  private final InertMsrs inert;
  private final boolean hasTscAdjust;

  GuestMsrs(MsrAccess access, List<CpuidLeaf> cpuid) {
    this.access = access;
    this.inert = new InertMsrs(cpuid);
    this.hasTscAdjust = CpuFeature.of(cpuid).contains(CpuFeature.TSC_ADJUST);
  }

  /** Lets a machine's guests reach no registers of the kernel's but these. */
  static void filter(int vmFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment filter = arena.allocate(FILTER_BYTES, 8);
      filter.set(ValueLayout.JAVA_INT, 0, DENY_OTHERS);
      for (int i = 0; i < RANGES.length; i++) {
        long at = FILTER_RANGES + (long) RANGE_BYTES * i;
        MemorySegment bitmap = arena.allocateFrom(ValueLayout.JAVA_LONG, allowed(RANGES[i]));
        filter.set(ValueLayout.JAVA_INT, at, READ_AND_WRITE);
        filter.set(ValueLayout.JAVA_INT, at + 4, RANGE_MSRS);
        filter.set(ValueLayout.JAVA_INT, at + 8, RANGES[i]);
        filter.set(ValueLayout.JAVA_LONG, at + 16, bitmap.address());
      }
      Libc.ioctl(vmFd, Ioctl.KVM_X86_SET_MSR_FILTER, filter);
    }
  }

  private static long allowed(int base) {
    long bits = base <= TSC && base >= 0 ? 1L << TSC - base : 0;
    for (int index : KERNEL) {
      int place = index - base;
      if (place >= 0 && place < RANGE_MSRS && (index ^ base) >= 0) {
        bits |= 1L << place;
      }
    }
    return bits;
  }

  /** RDMSR of a filtered register; empty: #GP. */
  OptionalLong read(int index) {
    return inert.read(index);
  }

  /** WRMSR of a filtered register; false: #GP. */
  boolean write(int index, long value) {
    return inert.write(index, value);
  }

  /**
   * Every register that holds state, but the TSC, by ascending unsigned index.
   *
   * @param tscDeadline the value of IA32_TSC_DEADLINE, which is not in the kernel while it is
   *     frozen
   */
  List<MsrState> save(long apicBase, long tscDeadline) {
    List<MsrState> all = new ArrayList<>();
    for (MsrState value : access.get(kernel())) {
      switch (value.index()) {
        case APIC_BASE -> all.add(new MsrState(APIC_BASE, apicBase));
        case TSC_DEADLINE -> all.add(new MsrState(TSC_DEADLINE, tscDeadline));
        default -> all.add(value);
      }
    }
    inert.save(all);
    all.sort(Comparator.comparingLong(m -> m.index() & 0xFFFFFFFFL));
    return all;
  }

  private int[] kernel() {
    return hasTscAdjust
        ? KERNEL
        : java.util.Arrays.stream(KERNEL).filter(i -> i != TSC_ADJUST).toArray();
  }

  /**
   * Takes on saved values, but for what has its place elsewhere in the state: IA32_APIC_BASE, EFER,
   * the bases of FS and GS, and IA32_TSC_DEADLINE.
   *
   * @throws SnapshotException.Incompatible if one does not exist here or refuses its value
   */
  void restore(List<MsrState> saved) {
    List<MsrState> ours = new ArrayList<>();
    inert.powerOn();
    for (MsrState value : saved) {
      switch (value.index()) {
        case APIC_BASE, EFER, FS_BASE, GS_BASE, TSC_DEADLINE, TSC -> {}
        default -> {
          if (isKernel(value.index())) {
            ours.add(value);
          } else if (!inert.restore(value)) {
            throw new SnapshotException.Incompatible(
                "MSR 0x%x".formatted(value.index()),
                "this processor has no such register, or it does not take 0x%x"
                    .formatted(value.value()));
          }
        }
      }
    }
    access.set(ours);
  }

  private boolean isKernel(int index) {
    for (int present : kernel()) {
      if (present == index) {
        return true;
      }
    }
    return false;
  }
}
