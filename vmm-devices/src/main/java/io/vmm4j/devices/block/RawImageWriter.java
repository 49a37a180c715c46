package io.vmm4j.devices.block;

import io.vmm4j.api.device.PositionedOutput;
import java.io.IOException;
import java.util.Arrays;

/** Writes a disk's bytes as they are, and leaves holes where blocks of 4 KiB are zeros. */
public final class RawImageWriter implements DiskImageWriter {
  private static final int BLOCK_BYTES = 4096;
  private static final byte[] ZEROS = new byte[BLOCK_BYTES];

  private final PositionedOutput out;
  private final long size;

  /** Writes a disk of a size. */
  public RawImageWriter(PositionedOutput out, long size) {
    this.out = out;
    this.size = size;
  }

  @Override
  public void piece(long offset, byte[] bytes, int length) throws IOException {
    int from = 0;
    int at = 0;
    while (at < length) {
      int end = Math.min(length, at + BLOCK_BYTES);
      if (Arrays.equals(bytes, at, end, ZEROS, 0, end - at)) {
        write(offset, bytes, from, at);
        from = end;
      }
      at = end;
    }
    write(offset, bytes, from, length);
  }

  private void write(long offset, byte[] bytes, int from, int to) throws IOException {
    if (to > from) {
      out.write(offset + from, bytes, from, to - from);
    }
  }

  @Override
  public void finish() throws IOException {
    out.setLength(size);
  }
}
