package io.vmm4j.devices.virtioblock;

import io.vmm4j.devices.block.FileIdentity;
import io.vmm4j.devices.virtio.VirtioState;
import java.util.List;

/**
 * State of a disk. What the guest has written lies in the machine's memory.
 *
 * @param virtio of the transport
 * @param diskBytes the size of the disk
 * @param baseBytes the size of what its file holds, which the disk may have outgrown
 * @param overlay which blocks of 4 KiB were written, in the order of their places in the device's
 *     memory {@code overlay}: {@link io.vmm4j.devices.block.BlockRuns}; empty without an overlay
 * @param files the file of the configuration, then those behind it; empty where they are not known
 */
public record VirtioBlockState(
    VirtioState virtio, long diskBytes, long baseBytes, byte[] overlay, List<FileIdentity> files) {}
