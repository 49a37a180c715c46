package io.vmm4j.api;

import java.util.Objects;
import java.util.Optional;

/**
 * How a snapshot is taken: an immutable value.
 *
 * @param whileRunning whether memory is copied while the guest runs, and the guest stands only for
 *     what it has written meanwhile; else it stands for the whole copy
 * @param maxPasses how often a live snapshot copies what was written during the pass before, 1 to
 *     100, before it lets the guest stand
 * @param parent the snapshot against which this one is written; absent means as a whole
 */
public record SnapshotOptions(boolean whileRunning, int maxPasses, Optional<Snapshot> parent) {
  private static final int PASSES = 8;

  /** Checks the passes. */
  public SnapshotOptions {
    Objects.requireNonNull(parent, "parent");
    if (maxPasses < 1 || maxPasses > 100) {
      throw new IllegalArgumentException("maxPasses: " + maxPasses + " is not 1 to 100");
    }
  }

  /** The guest stands while its memory is copied. */
  public static SnapshotOptions stopped() {
    return new SnapshotOptions(false, 1, Optional.empty());
  }

  /** The guest runs while its memory is copied, and stands as short as can be. */
  public static SnapshotOptions live() {
    return new SnapshotOptions(true, PASSES, Optional.empty());
  }

  /** The same, to be written as what differs from another snapshot. */
  public SnapshotOptions since(Snapshot earlier) {
    return new SnapshotOptions(
        whileRunning, maxPasses, Optional.of(Objects.requireNonNull(earlier, "earlier")));
  }
}
