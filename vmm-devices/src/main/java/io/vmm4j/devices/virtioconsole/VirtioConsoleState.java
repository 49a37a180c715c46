package io.vmm4j.devices.virtioconsole;

import io.vmm4j.devices.virtio.VirtioState;
import java.util.List;

/**
 * State of a console. Channels of the host are not part of it.
 *
 * @param virtio of the transport
 * @param columns of the terminal
 * @param rows of the terminal
 * @param ports the console and the further ports
 */
public record VirtioConsoleState(VirtioState virtio, int columns, int rows, List<Port> ports) {

  /**
   * State of a port.
   *
   * @param due what the guest is to be told of it, a bit for each message
   * @param ready whether the guest's driver has it
   * @param guestOpen whether a program of the guest has opened it
   * @param announced whether the guest takes it that a program of the host has
   */
  public record Port(int due, boolean ready, boolean guestOpen, boolean announced) {}
}
