package io.vmm4j.devices.block;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * The contents of a disk. Several threads may call it; what two of them do to the same bytes at the
 * same time may come in any order.
 */
public interface BlockStorage extends Closeable {

  /** The files that it is in, the one that was named first. */
  List<Path> files();

  /** Its size in bytes. */
  long sizeBytes();

  /** Whether it can't be written. */
  boolean isReadOnly();

  /**
   * Reads bytes.
   *
   * @param offset 0 to the size less the target's length
   * @throws IOException if they can't be read
   */
  void read(long offset, MemorySegment target) throws IOException;

  /**
   * Writes bytes; they are safe after the next {@link #flush}.
   *
   * @param offset 0 to the size less the source's length
   * @throws IOException if they can't be written, or it is read-only
   */
  void write(long offset, MemorySegment source) throws IOException;

  /**
   * Makes bytes zero.
   *
   * @param offset 0 to the size less the length
   * @throws IOException if they can't be written, or it is read-only
   */
  void zero(long offset, long length) throws IOException;

  /**
   * Makes it larger; what is new is zeros.
   *
   * @param bytes at least its size
   * @throws IOException if that is not possible
   */
  void grow(long bytes) throws IOException;

  /**
   * Returns when all that was written before is where a failure of the host can't take it away.
   *
   * @throws IOException if that is not possible
   */
  void flush() throws IOException;
}
