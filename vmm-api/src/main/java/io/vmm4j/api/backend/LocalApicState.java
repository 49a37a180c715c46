package io.vmm4j.api.backend;

/**
 * The architectural state of a local APIC (Intel SDM volume 3, chapter 11). Its base and mode are
 * in the MSR IA32_APIC_BASE, and the TSC deadline in IA32_TSC_DEADLINE, of {@link CpuState#msrs}.
 *
 * @param id the initial APIC id
 * @param registers the 32-bit registers by offset / 16 (64 values): those at 0x20 (id, xAPIC form)
 *     to 0x3E0, as a guest reads them, but the interrupt command's high half at 0x310 and the
 *     current count at 0x390, which is computed from {@code timerDeadlineNanos}
 * @param timerDeadlineNanos when the timer fires next, in guest nanoseconds, or -1 if it is stopped
 * @param externalInterruptPin the level of the INTR pin (LINT0)
 * @param externalInterruptMessage whether an interrupt message in ExtINT mode waits
 * @param unreadErrors errors since the last write of the error status register, as that register
 *     (ESR) will show them after the next
 */
public record LocalApicState(
    int id,
    int[] registers,
    long timerDeadlineNanos,
    boolean externalInterruptPin,
    boolean externalInterruptMessage,
    int unreadErrors) {}
