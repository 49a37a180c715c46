package io.vmm4j.api;

import java.util.Objects;

/**
 * How a snapshot is written: an immutable value.
 *
 * {@snippet :
 * snapshot.writeTo(Path.of("ready.vmm"), SaveOptions.standard().mapped());
 * }
 *
 * @param compression how memory is packed; of no meaning in the mapped layout
 * @param layout how memory lies
 * @param whole whether all of it is written, even if it was taken since another
 */
public record SaveOptions(SnapshotCompression compression, SnapshotLayout layout, boolean whole) {

  /** Refuses absent parts. */
  public SaveOptions {
    Objects.requireNonNull(compression, "compression");
    Objects.requireNonNull(layout, "layout");
  }

  /** Packed with little effort, and as a delta if it was taken since another. */
  public static SaveOptions standard() {
    return new SaveOptions(SnapshotCompression.FAST, SnapshotLayout.STREAM, false);
  }

  /** The same with another compression. */
  public SaveOptions packed(SnapshotCompression choice) {
    return new SaveOptions(choice, layout, whole);
  }

  /** The same in {@link SnapshotLayout#MAPPED}, which is always whole. */
  public SaveOptions mapped() {
    return new SaveOptions(compression, SnapshotLayout.MAPPED, true);
  }

  /** The same as a whole. */
  public SaveOptions asWhole() {
    return new SaveOptions(compression, layout, true);
  }
}
