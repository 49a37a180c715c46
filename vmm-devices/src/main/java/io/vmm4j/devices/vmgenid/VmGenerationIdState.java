package io.vmm4j.devices.vmgenid;

/**
 * State of the VM generation id. The id itself is in the device's memory.
 *
 * @param changePending whether the guest has not yet taken notice of the last change
 */
public record VmGenerationIdState(boolean changePending) {}
