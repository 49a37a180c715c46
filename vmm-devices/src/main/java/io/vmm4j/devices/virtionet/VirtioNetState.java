package io.vmm4j.devices.virtionet;

import io.vmm4j.devices.virtio.VirtioState;

/**
 * State of a network card. Frames under way are lost, as networks lose frames.
 *
 * @param virtio of the transport
 * @param mac the card's address
 * @param network what the network that it is connected to must know
 */
public record VirtioNetState(VirtioState virtio, byte[] mac, byte[] network) {}
