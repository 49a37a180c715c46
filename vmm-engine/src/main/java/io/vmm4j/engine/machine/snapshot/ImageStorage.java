package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.HostMemoryException;
import io.vmm4j.engine.memory.BackingFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What holds the contents of an image. Any thread. */
interface ImageStorage {

  /** How many bytes can be mapped. */
  long size();

  /** Has room kept for so many bytes of holes, which are filled where they are looked at. */
  void keepRoomForHoles(long bytes);

  /** Gives back the room that was kept. */
  void giveBackRoom();

  /** What a fault of a mapping means. */
  HostMemoryException explain(Throwable fault);

  /** Maps all of it privately. */
  MemorySegment mapPrivate(Arena arena) throws IOException;

  /** Maps all of it shared, to be written to, while the image is made. */
  MemorySegment mapShared(Arena arena) throws IOException;

  /**
   * Has room kept for more than was promised.
   *
   * @throws io.vmm4j.api.VmException if the host has not so much
   */
  void keepRoom(long bytes);

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
    public void keepRoomForHoles(long bytes) {
      file.keepRoomForHoles(bytes, "zeros in a snapshot's memory");
    }

    @Override
    public void keepRoom(long bytes) {
      file.keepRoom(bytes, "a snapshot's memory");
    }

    @Override
    public void giveBackRoom() {
      file.giveBackRoom();
    }

    @Override
    public HostMemoryException explain(Throwable fault) {
      return file.explain(fault);
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
