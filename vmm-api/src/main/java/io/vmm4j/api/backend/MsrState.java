package io.vmm4j.api.backend;

/** A model-specific register: its index and its value. */
public record MsrState(int index, long value) {}
