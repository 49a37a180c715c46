package io.vmm4j.control;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * What a control server is prepared to take from its clients. Beyond each limit the client gets a
 * typed error, waits, or is disconnected; the machine goes on in any case. docs/control.md says
 * which.
 *
 * @param connections how many clients at once
 * @param requestsPerSecond how many requests of all clients together are begun; more wait
 * @param lineBytes the longest request
 * @param dumpBytes the most memory that one {@code dump} shows
 * @param consoleReplayBytes how much of what a console said before is sent to who attaches to it
 * @param consoleBacklogBytes how much of a console's output waits for a client that does not read
 * @param consoleInputBytes how much input waits for a guest that does not read
 * @param line how long a client may take from the first byte of a request to its line feed
 * @param idle how long a client may send nothing, other than on a console
 * @param write how long a client may take to read a reply, or a chunk of a stream
 */
public record ControlLimits(
    int connections,
    int requestsPerSecond,
    int lineBytes,
    int dumpBytes,
    int consoleReplayBytes,
    int consoleBacklogBytes,
    int consoleInputBytes,
    Duration line,
    Duration idle,
    Duration write) {

  /**
   * 16 connections, 200 requests/s, lines and dumps of 64 KiB, a replay of 64 KiB, a backlog of 1
   * MiB, 64 KiB of input; 10 s for a line, 10 minutes of idleness, 30 s for a write.
   */
  public static ControlLimits standard() {
    return new ControlLimits(
        16,
        200,
        1 << 16,
        1 << 16,
        1 << 16,
        1 << 20,
        1 << 16,
        Duration.ofSeconds(10),
        Duration.ofMinutes(10),
        Duration.ofSeconds(30));
  }

  /** Refuses what is not positive. */
  public ControlLimits {
    positive("connections", connections);
    positive("requestsPerSecond", requestsPerSecond);
    positive("lineBytes", lineBytes);
    positive("dumpBytes", dumpBytes);
    positive("consoleReplayBytes", consoleReplayBytes);
    positive("consoleBacklogBytes", consoleBacklogBytes);
    positive("consoleInputBytes", consoleInputBytes);
    positive("line", TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(line, "line")));
    positive("idle", TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(idle, "idle")));
    positive("write", TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(write, "write")));
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + ": must be positive");
    }
  }
}
