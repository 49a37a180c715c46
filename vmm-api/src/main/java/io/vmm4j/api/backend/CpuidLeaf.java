package io.vmm4j.api.backend;

/**
 * One leaf of CPUID as the guest sees it. The values are data: a backend replaces only what depends
 * on the vCPU's own state (APIC ids, OSXSAVE, the enabled XSAVE size).
 *
 * @param leaf EAX
 * @param subleaf ECX, or -1 if the leaf does not depend on it
 */
public record CpuidLeaf(int leaf, int subleaf, int eax, int ebx, int ecx, int edx) {}
