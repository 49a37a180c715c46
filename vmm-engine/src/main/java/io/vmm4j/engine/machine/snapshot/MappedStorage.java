package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.HostMemoryException;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.VmException;
import io.vmm4j.snapshot.MappedSnapshot;
import io.vmm4j.snapshot.SharedFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A snapshot's file in the mapped layout. It is the user's: nothing is written to it, and before it
 * is used it is asked whether anybody else has. It is read through a mapping, since an interrupt of
 * the reading thread would close the file.
 */
final class MappedStorage implements ImageStorage {
  private final Path path;
  private final MappedSnapshot file;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment contents;

  MappedStorage(Path path, MappedSnapshot file) throws IOException {
    this.path = path;
    this.file = file;
    try {
      this.contents = file.mapReadOnly(arena);
    } catch (IOException e) {
      arena.close();
      throw e;
    }
  }

  private void requireUnchanged() {
    if (file.state() == MappedSnapshot.State.CHANGED) {
      throw new SnapshotException.Incompatible(
          "the mapped file " + path, "it has been changed since it was opened; read it anew");
    }
  }

  @Override
  public long size() {
    return file.imageBytes();
  }

  @Override
  public void keepRoomForHoles(long bytes) {
    // Nothing is kept: holes of a file on a disk are filled in the page cache.
  }

  @Override
  public void keepRoom(long bytes) {
    throw new IllegalStateException("a mapped snapshot is never written to");
  }

  @Override
  public void giveBackRoom() {
    // Nothing was kept.
  }

  @Override
  public HostMemoryException explain(Throwable fault) {
    return new HostMemoryException(
        "the mapped file %s was cut, or its file system has no room left".formatted(path), fault);
  }

  @Override
  public MemorySegment mapPrivate(Arena lifetime) throws IOException {
    requireUnchanged();
    return file.mapPrivately(lifetime)
        .orElseThrow(() -> new IllegalStateException(path + " can't be mapped privately"));
  }

  @Override
  public MemorySegment mapShared(Arena lifetime) {
    throw new IllegalStateException("a mapped snapshot is never written to");
  }

  @Override
  public void read(long offset, byte[] target, int targetOffset, int length) {
    requireUnchanged();
    try {
      MemorySegment.copy(contents, ValueLayout.JAVA_BYTE, offset, target, targetOffset, length);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      if (SharedFile.isFault(e)) {
        throw explain(e);
      }
      throw e;
    }
  }

  @Override
  public void write(long offset, byte[] source, int sourceOffset, int length) {
    throw new IllegalStateException("a mapped snapshot is never written to");
  }

  @Override
  public void close() {
    arena.close();
    try {
      file.close();
    } catch (IOException e) {
      throw new VmException("cannot close " + path, e);
    }
  }
}
