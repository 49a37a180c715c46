package io.vmm4j.devices.debugexit;

/** The port remembers nothing. */
public record DebugExitState() {}
