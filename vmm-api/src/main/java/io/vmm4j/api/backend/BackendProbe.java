package io.vmm4j.api.backend;

/**
 * Whether a backend can run here.
 *
 * @param usable whether it can
 * @param detail what it found, or why it can't run and what would mend that; one line
 */
public record BackendProbe(boolean usable, String detail) {}
