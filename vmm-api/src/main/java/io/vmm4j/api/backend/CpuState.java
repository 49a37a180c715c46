package io.vmm4j.api.backend;

import java.util.List;

/**
 * The whole architectural state of a vCPU between two instructions. Nothing private to a backend is
 * in it: what one backend gives, another takes.
 *
 * @param gpr the 16 general registers in encoding order: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8
 *     to R15
 * @param rip the next instruction
 * @param rflags with bit 1 set
 * @param dr DR0 to DR3, DR6, DR7: 6 values
 * @param xcr0 the enabled state components
 * @param xsave an XSAVE area in the standard form (Intel SDM volume 1, 13.4): 512 bytes of legacy
 *     region, 64 of header, with {@link CpuFeature#AVX} 256 of the upper halves of the YMM
 *     registers, and with {@link CpuFeature#PKU} PKRU where CPUID leaf 0xD tells
 * @param msrs every MSR that holds state, by ascending unsigned index; EFER is among them
 * @param tsc the guest's time-stamp counter at the moment of saving
 */
public record CpuState(
    long[] gpr,
    long rip,
    long rflags,
    SegmentState es,
    SegmentState cs,
    SegmentState ss,
    SegmentState ds,
    SegmentState fs,
    SegmentState gs,
    SegmentState ldtr,
    SegmentState tr,
    TableState gdtr,
    TableState idtr,
    long cr0,
    long cr2,
    long cr3,
    long cr4,
    long[] dr,
    long xcr0,
    byte[] xsave,
    List<MsrState> msrs,
    PendingEvents events,
    ActivityState activity,
    LocalApicState apic,
    long tsc) {

  /**
   * Returns the same state with the time-stamp counter further on. A TSC deadline stays at its
   * count, as IA32_TSC_ADJUST does: the time has passed, and nobody has written the counter.
   */
  public CpuState withTscAdvanced(long ticks) {
    return new CpuState(
        gpr,
        rip,
        rflags,
        es,
        cs,
        ss,
        ds,
        fs,
        gs,
        ldtr,
        tr,
        gdtr,
        idtr,
        cr0,
        cr2,
        cr3,
        cr4,
        dr,
        xcr0,
        xsave,
        msrs,
        events,
        activity,
        apic,
        tsc + ticks);
  }

  /** The value of an MSR, or 0 if it is not among {@link #msrs}. */
  public long msr(int index) {
    return msrs.stream()
        .filter(m -> m.index() == index)
        .mapToLong(MsrState::value)
        .findFirst()
        .orElse(0);
  }
}
