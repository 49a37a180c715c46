package io.vmm4j.devices.block;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * A file that holds the bytes of a disk as they are. Not by a {@link
 * java.nio.channels.FileChannel}, which an interrupt of one thread would close for all.
 */
public final class RawFile implements BlockStorage {
  private static final int PIECE_BYTES = 1 << 17;

  private final Path path;
  private final RandomAccessFile file;
  private final byte[] piece = new byte[PIECE_BYTES];
  private volatile long size;
  private final boolean readOnly;

  private RawFile(Path path, RandomAccessFile file, boolean readOnly) throws IOException {
    this.path = path;
    this.file = file;
    this.size = file.length();
    this.readOnly = readOnly;
  }

  /**
   * Opens a file.
   *
   * @param writable whether it is written; then nobody else may have it open to be written
   * @throws IOException if it can't be opened, or another machine writes to it
   */
  public static RawFile open(Path path, boolean writable) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString(), null, "no such file");
    }
    if (!Files.isRegularFile(path)) { // which would be made
      throw new NoSuchFileException(path.toString(), null, "not a regular file");
    }
    RandomAccessFile file = new RandomAccessFile(path.toFile(), writable ? "rw" : "r");
    try {
      if (writable) {
        lock(path, file);
      }
      return new RawFile(path, file, !writable);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Until the file is closed. */
  private static void lock(Path path, RandomAccessFile file) throws IOException {
    FileLock lock = null;
    try {
      lock = file.getChannel().tryLock();
    } catch (OverlappingFileLockException e) {
      // Another machine of this JVM has it.
    }
    if (lock == null) {
      throw new IOException(path + " is in use: another machine writes to it");
    }
  }

  @Override
  public List<Path> files() {
    return List.of(path);
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
  public synchronized void read(long offset, MemorySegment target) throws IOException {
    file.seek(offset);
    long done = 0;
    while (done < target.byteSize()) {
      int n = file.read(piece, 0, (int) Math.min(piece.length, target.byteSize() - done));
      if (n < 0) {
        throw new EOFException(path + " has become shorter than its disk");
      }
      MemorySegment.copy(piece, 0, target, ValueLayout.JAVA_BYTE, done, n);
      done += n;
    }
  }

  @Override
  public synchronized void write(long offset, MemorySegment source) throws IOException {
    requireWritable();
    file.seek(offset);
    long done = 0;
    while (done < source.byteSize()) {
      int n = (int) Math.min(piece.length, source.byteSize() - done);
      MemorySegment.copy(source, ValueLayout.JAVA_BYTE, done, piece, 0, n);
      file.write(piece, 0, n);
      done += n;
    }
  }

  private void requireWritable() throws IOException {
    if (readOnly) {
      throw new IOException(path + " is not to be written");
    }
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    MemorySegment zeros = MemorySegment.ofArray(new byte[(int) Math.min(length, PIECE_BYTES)]);
    for (long at = offset; at < offset + length; at += PIECE_BYTES) {
      write(at, zeros.asSlice(0, Math.min(PIECE_BYTES, offset + length - at)));
    }
  }

  @Override
  public synchronized void grow(long bytes) throws IOException {
    requireWritable();
    if (bytes > file.length()) {
      file.setLength(bytes);
    }
    size = bytes;
  }

  @Override
  public void flush() throws IOException {
    if (!readOnly) {
      file.getFD().sync();
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
