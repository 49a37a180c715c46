package io.vmm4j.api;

/**
 * The backend that runs a machine.
 *
 * @param name its name
 * @param reason why it was chosen, one line
 */
public record BackendSelection(String name, String reason) {}
