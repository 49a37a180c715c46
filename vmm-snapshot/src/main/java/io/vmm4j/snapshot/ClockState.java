package io.vmm4j.snapshot;

import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/**
 * State of a machine's clock. Its mode and the wall-clock time it began at are in the machine's
 * description.
 *
 * @param nanoTime guest nanoseconds since the machine was first started
 */
public record ClockState(long nanoTime) {
  /** How it stands in a snapshot. */
  public static final RecordSchema<ClockState> SCHEMA =
      RecordSchema.of(MethodHandles.lookup(), ClockState.class);

  /** Refuses a time before the start. */
  public ClockState {
    if (nanoTime < 0) {
      throw new IllegalArgumentException("nanoTime: " + nanoTime + " is negative");
    }
  }
}
