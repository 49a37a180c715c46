package io.vmm4j.devices.debugcon;

/** The port remembers nothing. */
public record DebugConsoleState() {}
