package io.vmm4j.devices.pvpanic;

/** The port remembers nothing. */
public record PvpanicState() {}
