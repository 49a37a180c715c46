package io.vmm4j.api.backend;

/**
 * GDTR or IDTR.
 *
 * @param base linear address
 * @param limit 0 to 0xFFFF
 */
public record TableState(long base, int limit) {}
