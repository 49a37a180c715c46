package io.vmm4j.snapshot;

import java.util.zip.Deflater;

/** How the memory blocks of a snapshot are stored. A block that does not shrink is stored as is. */
public enum Compression {
  /** As they are. */
  NONE("none", Deflater.NO_COMPRESSION),
  /** DEFLATE (RFC 1951) with the least effort. */
  DEFLATE_FAST("deflate", Deflater.BEST_SPEED);

  private final String formatName;
  private final int level;

  Compression(String formatName, int level) {
    this.formatName = formatName;
    this.level = level;
  }

  /** Its name in the header of a memory chunk. */
  String formatName() {
    return formatName;
  }

  int level() {
    return level;
  }
}
