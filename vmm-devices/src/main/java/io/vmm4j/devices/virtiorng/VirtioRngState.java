package io.vmm4j.devices.virtiorng;

import io.vmm4j.devices.virtio.VirtioState;

/**
 * State of a source of entropy.
 *
 * @param virtio of the transport
 * @param drawn how many words of 8 bytes have been drawn from the seed
 */
public record VirtioRngState(VirtioState virtio, long drawn) {}
