package io.vmm4j.devices.virtiovsock;

import io.vmm4j.devices.virtio.VirtioState;
import java.util.List;

/**
 * State of a device for virtio sockets. Connections are not part of it.
 *
 * @param virtio of the transport
 * @param resetDue whether the guest may know connections that are gone in a restored machine
 * @param nextPort the port of the host's next connection
 * @param refusals that wait for buffers of the guest
 */
public record VirtioVsockState(
    VirtioState virtio, boolean resetDue, long nextPort, List<Refusal> refusals) {

  /**
   * A reset that the guest is to be sent.
   *
   * @param hostPort the port of the host
   * @param guestPort the port of the guest
   * @param type of socket, as the guest has it
   */
  public record Refusal(long hostPort, long guestPort, int type) {}
}
