package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotCompression;

/** How a memory block is stored. A block that does not shrink is stored as it is. */
enum Compression {
  NONE("none"),
  /** The block format of LZ4, without a frame. */
  LZ4("lz4"),
  /** DEFLATE (RFC 1951), without a wrapper. */
  DEFLATE("deflate");

  private final String formatName;

  Compression(String formatName) {
    this.formatName = formatName;
  }

  /** What a writer uses. */
  static Compression of(SnapshotCompression choice) {
    return switch (choice) {
      case NONE -> NONE;
      case FAST -> LZ4;
      case SMALL -> DEFLATE;
    };
  }

  /** Its name in the header of a memory chunk. */
  String formatName() {
    return formatName;
  }

  /** A new codec; none can be had of {@link #NONE}. */
  BlockCodec codec() {
    return switch (this) {
      case NONE -> throw new IllegalStateException("nothing is to be packed or unpacked");
      case LZ4 -> new Lz4Codec();
      case DEFLATE -> new DeflateCodec();
    };
  }
}
