package io.vmm4j.snapshot;

import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/**
 * State of the host's end of a console. The device's end, such as the FIFO of a serial port, is in
 * the state of the device.
 *
 * @param bytesWritten how many bytes the guest has written since the machine was first started
 * @param position how far {@code expect} has read, counted like {@code bytesWritten}
 * @param transcript the last of what the guest has written; its end is at {@code bytesWritten}
 * @param input what was sent to the guest and the device has not taken yet, in order
 */
public record ConsoleState(long bytesWritten, long position, byte[] transcript, byte[] input) {
  /** How it stands in a snapshot. */
  public static final RecordSchema<ConsoleState> SCHEMA =
      RecordSchema.of(MethodHandles.lookup(), ConsoleState.class);

  /** Of a console that nothing was written to or sent to. */
  public static final ConsoleState EMPTY = new ConsoleState(0, 0, new byte[0], new byte[0]);

  /** More than a guest could write in centuries, and far from where a count overflows. */
  private static final long MOST_WRITTEN = 1L << 62;

  /** Refuses a transcript longer than what was written, and a position outside of that. */
  public ConsoleState {
    if (bytesWritten > MOST_WRITTEN) {
      throw new IllegalArgumentException(
          "bytesWritten: %d is more than %d".formatted(bytesWritten, MOST_WRITTEN));
    }
    if (bytesWritten < transcript.length) {
      throw new IllegalArgumentException(
          "bytesWritten: %d is less than the transcript's %d"
              .formatted(bytesWritten, transcript.length));
    }
    if (position < 0 || position > bytesWritten) {
      throw new IllegalArgumentException(
          "position: %d is not one of 0 to %d".formatted(position, bytesWritten));
    }
  }
}
