package io.vmm4j.api.channel;

import java.io.IOException;
import java.util.Objects;

/** A channel into a guest has ended, and not in order. */
public final class GuestChannelException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Says which side ended the channel, and how. */
  public enum Reason {
    /** The guest has, or the network in between. */
    ENDED_BY_GUEST,
    /** The guest takes no more, and may still have sent what is to be read. */
    CLOSED_BY_GUEST,
    /** The machine was restored to a snapshot, which holds no channels. */
    RESTORED,
    /** The device was reset, by the guest or with the machine. */
    DEVICE_RESET,
    /** The machine was closed. */
    CLOSED
  }

  private final Reason reason;

  /** Says who, and in words. */
  public GuestChannelException(Reason reason, String message) {
    super(message);
    this.reason = Objects.requireNonNull(reason, "reason");
  }

  /** Returns who has ended it. */
  public Reason reason() {
    return reason;
  }
}
