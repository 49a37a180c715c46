package io.vmm4j.api.vsock;

import io.vmm4j.api.channel.GuestChannel;

/** A connection between a port of the host and a port of the guest. */
public interface VsockChannel extends GuestChannel {
  /** Returns the port of the host. */
  long hostPort();

  /** Returns the port of the guest. */
  long guestPort();
}
