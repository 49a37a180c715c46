package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.VmException;
import io.vmm4j.engine.memory.BackingFile;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.engine.memory.MappedGuestMemory;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Writes an image's memory over a machine's, page by page where they differ, and can take it back:
 * the pages that were there are kept until it is closed.
 */
public final class MemoryRestore implements AutoCloseable {
  private static final int PAGE = ImageMemory.PAGE;

  private final MachineMemory target;
  private final MappedGuestMemory.WriteListener written;
  private final BackingFile before;
  private final BitSet replaced = new BitSet();

  /** Nothing replaced yet. */
  public MemoryRestore(MachineMemory target, MappedGuestMemory.WriteListener written) {
    this.target = target;
    this.written = written;
    this.before = BackingFile.create(target.segment().byteSize(), 0);
  }

  /** Replaces a region of the machine by that of the image. */
  public void apply(ImageMemory image, ImageMemory.Place from, long targetOffset) {
    byte[] now = new byte[ImageMemory.BLOCK];
    byte[] then = new byte[ImageMemory.BLOCK];
    try {
      for (long done = 0; done < from.bytes(); done += ImageMemory.BLOCK) {
        int length = (int) Math.min(ImageMemory.BLOCK, from.bytes() - done);
        image.read(from.offset() + done, then, length);
        target.file().read(targetOffset + done, now, 0, length);
        int at = Arrays.mismatch(then, 0, length, now, 0, length);
        if (at >= 0) {
          replace(then, now, at / PAGE * PAGE, length, targetOffset + done);
        }
      }
    } catch (IOException e) {
      throw new VmException("cannot restore the machine's memory: " + e.getMessage(), e);
    }
  }

  private void replace(byte[] then, byte[] now, int first, int length, long offset)
      throws IOException {
    int at = first;
    while (at < length) {
      while (at < length && isEqual(then, now, at)) {
        at += PAGE;
      }
      int from = at;
      while (at < length && !isEqual(then, now, at)) {
        at += PAGE;
      }
      if (at > from) {
        before.write(offset + from, now, from, at - from);
        replaced.set((int) ((offset + from) / PAGE), (int) ((offset + at) / PAGE));
        target.file().write(offset + from, then, from, at - from);
        written.written(offset + from, at - from);
      }
    }
  }

  private static boolean isEqual(byte[] one, byte[] other, int at) {
    return Arrays.equals(one, at, at + PAGE, other, at, at + PAGE);
  }

  /** Puts back what was there. */
  public void undo() {
    byte[] page = new byte[PAGE];
    try {
      for (int i = replaced.nextSetBit(0); i >= 0; i = replaced.nextSetBit(i + 1)) {
        long offset = (long) i * PAGE;
        before.read(offset, page, 0, PAGE);
        target.file().write(offset, page, 0, PAGE);
        written.written(offset, PAGE);
      }
    } catch (IOException e) {
      throw new VmException("cannot put the machine's memory back: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    before.close();
  }
}
