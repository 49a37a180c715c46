package io.vmm4j.snapshot;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.FutureTask;

/**
 * A file that several threads read, write and map by position. An interrupt of one of them does not
 * close it for the others.
 *
 * <p>A {@link FileChannel} is closed when a thread that uses it is interrupted ({@link
 * java.nio.channels.InterruptibleChannel}). So a {@link RandomAccessFile} reads and writes, which
 * knows no interrupts. Only a channel maps; it is used by a thread of this class's own, which
 * nobody interrupts. Every method completes on an interrupted thread, and leaves it interrupted.
 */
public final class SharedFile implements AutoCloseable {
  private static final Object FAULTS = new Object();

  private final RandomAccessFile file;
  private final FileChannel mapper;
  private final boolean writable;

  private SharedFile(RandomAccessFile file, FileChannel mapper, boolean writable) {
    this.file = file;
    this.mapper = mapper;
    this.writable = writable;
  }

  /**
   * Opens a file that is there: to be mapped for writing if its mode allows it, else for reading.
   * The path is looked up twice; a caller to whom that matters compares its file key before and
   * after.
   *
   * @throws IOException if it is not there or can't be read
   */
  static SharedFile open(Path path) throws IOException {
    boolean writable = true;
    FileChannel mapper;
    try {
      mapper = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (AccessDeniedException e) {
      writable = false;
      mapper = FileChannel.open(path, StandardOpenOption.READ);
    }
    try {
      return new SharedFile(new RandomAccessFile(path.toFile(), "r"), mapper, writable);
    } catch (IOException | RuntimeException e) {
      mapper.close();
      throw e;
    }
  }

  /**
   * Makes a file of no bytes and no name: it is deleted as soon as it is open, so that nothing is
   * left behind whatever happens to the JVM. Only the owner may use it.
   *
   * @param directory where it takes room
   */
  public static SharedFile unnamed(Path directory) throws IOException {
    Path path = Files.createTempFile(directory, "vmm4j-", ".memory");
    try {
      RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
      return new SharedFile(file, file.getChannel(), true);
    } finally {
      deleteName(path);
    }
  }

  private static void deleteName(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      path.toFile().deleteOnExit(); // some systems don't delete what is open
    }
  }

  /** Whether it may be written to, without which the JDK maps nothing privately. */
  public boolean isWritable() {
    return writable;
  }

  /** Its size in bytes. */
  public long size() throws IOException {
    return file.length();
  }

  /** Cuts or extends it to a size in bytes; what is added is a hole, which reads as zeros. */
  public void setSize(long bytes) throws IOException {
    file.setLength(bytes);
  }

  /**
   * Reads what there is, at least a byte.
   *
   * @return how many bytes were read, or -1 at or beyond its end
   */
  public synchronized int readSome(long position, byte[] target, int offset, int length)
      throws IOException {
    file.seek(position);
    return file.read(target, offset, length);
  }

  /**
   * Reads.
   *
   * @throws EOFException beyond its end
   */
  public synchronized void read(long position, byte[] target, int offset, int length)
      throws IOException {
    file.seek(position);
    int done = 0;
    while (done < length) {
      int read = file.read(target, offset + done, length - done);
      if (read < 0) {
        throw new EOFException("the file is shorter than what is to be read of it");
      }
      done += read;
    }
  }

  /**
   * Writes.
   *
   * @throws IOException if there is no room
   */
  public synchronized void write(long position, byte[] source, int offset, int length)
      throws IOException {
    file.seek(position);
    file.write(source, offset, length);
  }

  /**
   * Maps a part of it, for as long as the arena lives, whether this is closed or not.
   *
   * @param arena one that is not confined to a thread
   * @throws WrongThreadException if the arena is
   */
  public MemorySegment map(FileChannel.MapMode mode, long position, long bytes, Arena arena)
      throws IOException {
    FutureTask<MemorySegment> mapping =
        new FutureTask<>(() -> mapper.map(mode, position, bytes, arena));
    Thread.ofPlatform().daemon().name("vmm4j-map").start(mapping);
    return UninterruptedWait.get(mapping);
  }

  /**
   * Whether an error is the fault of a mapped file: its file system has no room for a page that is
   * written or looked at, or it was cut shorter. The JDK has no other class for it.
   */
  public static boolean isFault(Throwable error) {
    return error instanceof InternalError
        && String.valueOf(error.getMessage()).contains("unsafe memory access");
  }

  /**
   * Has the fault of an access to a mapping that was made just before thrown here, if there was
   * one. In compiled code the JVM notes it and throws at the thread's next look, which may be
   * behind the caller's {@code catch}; a call of a native method is such a look. It takes about 20
   * ns.
   */
  public static void throwFaultNow() {
    Thread.holdsLock(FAULTS);
  }

  /** Closes it; mappings live on. May be called more than once. */
  @Override
  public synchronized void close() throws IOException {
    try {
      mapper.close();
    } finally {
      file.close();
    }
  }
}
