package io.vmm4j.devices.virtioinput;

import io.vmm4j.devices.virtio.VirtioState;

/**
 * State of an input device.
 *
 * @param virtio of the transport
 * @param select which part of the configuration is seen
 * @param subselect which item of that part
 * @param events that wait for buffers, 8 bytes each
 */
public record VirtioInputState(VirtioState virtio, int select, int subselect, byte[] events) {}
