package io.vmm4j.snapshot;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;

/** Digests the pages of one block after the other: the leaves of a {@link MemoryDigest}. */
final class BlockDigest {
  private static final byte[] ZEROS = new byte[SnapshotFormat.PAGE_BYTES];

  private final MessageDigest digest = ChunkOutput.sha256();
  private final byte[] number = new byte[Integer.BYTES];
  private final byte[] page = new byte[SnapshotFormat.PAGE_BYTES];
  private boolean empty = true;

  /** The next page that is not known to be zeros. */
  void page(int index, byte[] bytes, int from) {
    int page = SnapshotFormat.PAGE_BYTES;
    if (Arrays.equals(bytes, from, from + page, ZEROS, 0, page)) {
      return;
    }
    empty = false;
    for (int i = 0; i < Integer.BYTES; i++) {
      number[i] = (byte) (index >> (24 - 8 * i));
    }
    digest.update(number);
    digest.update(bytes, from, page);
  }

  /** The same of a page in a segment. */
  void page(int index, MemorySegment memory, long from) {
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, from, page, 0, page.length);
    page(index, page, 0);
  }

  /** The same of a page that repeats eight bytes. */
  void fill(int index, byte[] bytes, int from) {
    for (int at = 0; at < page.length; at += SnapshotFormat.FILL_BYTES) {
      System.arraycopy(bytes, from, page, at, SnapshotFormat.FILL_BYTES);
    }
    page(index, page, 0);
  }

  /** The leaf of the pages since the last; absent if all were zeros. */
  Optional<byte[]> end() {
    if (empty) {
      return Optional.empty();
    }
    empty = true;
    return Optional.of(digest.digest());
  }
}
