package io.vmm4j.network;

import java.util.function.LongSupplier;

/**
 * The time that a network waits by: it passes when the host's time and the guest's both do. So a
 * machine that is paused loses no connection, nor does one whose virtual time flies.
 */
final class NetworkClock {
  private final LongSupplier host;
  private final LongSupplier guest;
  private long lastHost;
  private long lastGuest;
  private long nanos;

  NetworkClock(LongSupplier host, LongSupplier guest) {
    this.host = host;
    this.guest = guest;
    this.lastHost = host.getAsLong();
    this.lastGuest = guest.getAsLong();
  }

  /** The time of the last {@link #advance}. */
  long nanos() {
    return nanos;
  }

  /** Looks at both clocks; a guest that was restored may have gone back. */
  void advance() {
    long nowHost = host.getAsLong();
    long nowGuest = guest.getAsLong();
    nanos += Math.max(0, Math.min(nowHost - lastHost, nowGuest - lastGuest));
    lastHost = nowHost;
    lastGuest = nowGuest;
  }
}
