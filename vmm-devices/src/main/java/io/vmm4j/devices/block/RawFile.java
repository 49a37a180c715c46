package io.vmm4j.devices.block;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** A file that holds the bytes of a disk as they are. */
public final class RawFile implements BlockStorage {
  private static final int ZERO_BYTES = 1 << 20;

  private final Path file;
  private final FileChannel channel;
  private final long size;
  private final boolean readOnly;

  private RawFile(Path file, FileChannel channel, boolean readOnly) throws IOException {
    this.file = file;
    this.channel = channel;
    this.size = channel.size();
    this.readOnly = readOnly;
  }

  /**
   * Opens a file.
   *
   * @param writable whether it is written; then nobody else may have it open to be written
   * @throws IOException if it can't be opened, or another machine writes to it
   */
  public static RawFile open(Path file, boolean writable) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file,
            writable
                ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)
                : Set.of(StandardOpenOption.READ));
    try {
      if (writable) {
        lock(file, channel);
      }
      return new RawFile(file, channel, !writable);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** For the life of the channel. */
  private static void lock(Path file, FileChannel channel) throws IOException {
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // Another machine of this JVM has it.
    }
    if (lock == null) {
      throw new IOException(file + " is in use: another machine writes to it");
    }
  }

  @Override
  public long sizeBytes() {
    return size;
  }

  @Override
  public boolean isReadOnly() {
    return readOnly;
  }

  @Override
  public void read(long offset, MemorySegment target) throws IOException {
    ByteBuffer buffer = target.asByteBuffer();
    long at = offset;
    while (buffer.hasRemaining()) {
      int n = channel.read(buffer, at);
      if (n < 0) {
        throw new EOFException(file + " has become shorter than its disk");
      }
      at += n;
    }
  }

  @Override
  public void write(long offset, MemorySegment source) throws IOException {
    requireWritable();
    ByteBuffer buffer = source.asByteBuffer();
    long at = offset;
    while (buffer.hasRemaining()) {
      at += channel.write(buffer, at);
    }
  }

  private void requireWritable() throws IOException {
    if (readOnly) {
      throw new IOException(file + " is not to be written");
    }
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    requireWritable();
    MemorySegment zeros = MemorySegment.ofArray(new byte[(int) Math.min(length, ZERO_BYTES)]);
    for (long at = offset; at < offset + length; at += ZERO_BYTES) {
      write(at, zeros.asSlice(0, Math.min(ZERO_BYTES, offset + length - at)));
    }
  }

  @Override
  public void flush() throws IOException {
    if (!readOnly) {
      channel.force(false);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
