package io.vmm4j.network;

/**
 * How fast a connection sends: the time to wait for an acknowledgement (RFC 6298), and how much may
 * be under way (RFC 5681).
 */
final class TcpPace {
  private static final long MILLISECOND = 1_000_000L;
  private static final long FIRST_NANOS = 1000 * MILLISECOND;
  private static final long LEAST_NANOS = 200 * MILLISECOND;
  private static final long MOST_NANOS = 60_000 * MILLISECOND;
  private static final int FIRST_SEGMENTS = 10;

  private final int most;
  private int segment;
  private int window;
  private int threshold;
  private long smoothed;
  private long variation;
  private long timeout = FIRST_NANOS;
  private long backedOff = FIRST_NANOS;

  TcpPace(int segment, int most) {
    this.most = most;
    this.threshold = most;
    setSegment(segment);
  }

  void setSegment(int bytes) {
    segment = bytes;
    window = Math.min(most, FIRST_SEGMENTS * bytes);
  }

  /** How many bytes may be under way. */
  int window() {
    return window;
  }

  /** How long to wait for an acknowledgement now. */
  long timeoutNanos() {
    return backedOff;
  }

  /** An acknowledgement took so long. */
  void measured(long nanos) {
    if (smoothed == 0) {
      smoothed = Math.max(1, nanos);
      variation = nanos / 2;
    } else {
      variation = (3 * variation + Math.abs(smoothed - nanos)) / 4;
      smoothed = (7 * smoothed + nanos) / 8;
    }
    timeout = Math.clamp(smoothed + 4 * variation, LEAST_NANOS, MOST_NANOS);
  }

  /** So many bytes were acknowledged. */
  void acknowledged(int bytes) {
    backedOff = timeout;
    long grown =
        window < threshold
            ? (long) window + Math.min(bytes, 2 * segment)
            : (long) window + Math.max(1, (long) segment * segment / window);
    window = (int) Math.min(most, grown);
  }

  /** A segment was lost, and others behind it were not. */
  void lostOne(int underWay) {
    threshold = Math.max(underWay / 2, 2 * segment);
    window = threshold;
  }

  /** No acknowledgement came in time. */
  void timedOut(int underWay) {
    threshold = Math.max(underWay / 2, 2 * segment);
    window = segment;
    backOff();
  }

  /** Waits twice as long next time. */
  void backOff() {
    backedOff = Math.min(MOST_NANOS, 2 * backedOff);
  }
}
