package io.vmm4j.devices.virtiovsock;

import io.vmm4j.devices.virtio.VirtioState;

/**
 * State of a device for virtio sockets. Connections are not part of it.
 *
 * @param virtio of the transport
 * @param resetDue whether the guest may know connections that are gone in a restored machine
 * @param nextPort the port of the host's next connection
 */
public record VirtioVsockState(VirtioState virtio, boolean resetDue, long nextPort) {}
