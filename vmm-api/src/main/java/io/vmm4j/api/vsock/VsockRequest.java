package io.vmm4j.api.vsock;

/** A connection that the guest asks for, and that nobody has decided about. */
public interface VsockRequest {
  /** Returns the port of the host. */
  long hostPort();

  /** Returns the port of the guest. */
  long guestPort();

  /** Accepts it. If the guest has given up meanwhile, the channel has ended. */
  VsockChannel accept();

  /** Refuses it. Has no effect on one that was accepted. */
  void refuse();
}
