package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.engine.memory.BackingFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What holds the contents of an image. Any thread. */
interface ImageStorage {

  /** How many bytes can be mapped. */
  long size();

  /** How many bytes more there is room for. */
  long usableSpace() throws IOException;

  /** Maps all of it privately. */
  MemorySegment mapPrivate(Arena arena) throws IOException;

  /** Maps all of it shared, to be written to, while the image is made. */
  MemorySegment mapShared(Arena arena) throws IOException;

  /** Copies out. */
  void read(long offset, byte[] target, int targetOffset, int length) throws IOException;

  /** Copies in, while the image is made. */
  void write(long offset, byte[] source, int sourceOffset, int length) throws IOException;

  /** Releases it; what is mapped lives on. */
  void close();

  /** A sparse file of our own. */
  record Own(BackingFile file) implements ImageStorage {
    @Override
    public long size() {
      return file.size();
    }

    @Override
    public long usableSpace() throws IOException {
      return file.usableSpace();
    }

    @Override
    public MemorySegment mapPrivate(Arena arena) throws IOException {
      return file.mapPrivate(arena);
    }

    @Override
    public MemorySegment mapShared(Arena arena) throws IOException {
      return file.map(arena);
    }

    @Override
    public void read(long offset, byte[] target, int targetOffset, int length) throws IOException {
      file.read(offset, target, targetOffset, length);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
      file.write(offset, source, sourceOffset, length);
    }

    @Override
    public void close() {
      file.close();
    }
  }
}
