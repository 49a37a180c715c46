package io.vmm4j.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/** Writes to a new file, and leaves holes where whole pages of the file are zeros. */
final class SparseOutput extends OutputStream {
  private static final int PAGE = SnapshotFormat.PAGE_BYTES;
  private static final byte[] ZEROS = new byte[PAGE];

  private final FileChannel file;
  private long position;

  SparseOutput(FileChannel file) {
    this.file = file;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int pending = offset;
    int at = offset;
    int end = offset + length;
    while (at < end) {
      int piece = (int) Math.min(end - at, PAGE - (position + at - pending) % PAGE);
      if (piece == PAGE && Arrays.equals(bytes, at, at + PAGE, ZEROS, 0, PAGE)) {
        put(bytes, pending, at);
        position += PAGE;
        pending = at + PAGE;
      }
      at += piece;
    }
    put(bytes, pending, end);
  }

  private void put(byte[] bytes, int from, int to) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes, from, to - from);
    while (buffer.hasRemaining()) {
      position += file.write(buffer, position);
    }
  }

  /** Gives the file its length, should it end in a hole. */
  void end() throws IOException {
    if (file.size() < position) {
      file.write(ByteBuffer.allocate(1), position - 1);
    }
  }
}
