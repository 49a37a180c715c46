package io.vmm4j.devices.virtioblock;

import io.vmm4j.devices.virtio.VirtioState;

/**
 * State of a disk. What the guest has written lies in the machine's memory.
 *
 * @param virtio of the transport
 * @param diskBytes the size of the disk
 * @param overlay which blocks of 4 KiB were written: bit by bit, the first in bit 0 of the first
 *     byte; empty without an overlay
 */
public record VirtioBlockState(VirtioState virtio, long diskBytes, byte[] overlay) {}
