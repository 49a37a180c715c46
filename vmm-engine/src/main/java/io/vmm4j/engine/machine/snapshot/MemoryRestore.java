package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.VmException;
import io.vmm4j.engine.memory.BackingFile;
import io.vmm4j.engine.memory.HostRoom;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.engine.memory.MappedGuestMemory;
import io.vmm4j.engine.memory.PageVersions;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;

/**
 * Takes a machine's memory to the contents of an image, page by page where they differ, and can
 * take it back: the pages that were there are kept until it is closed. Where the image is of the
 * machine's own lineage only pages with another version are looked at.
 *
 * <p>For one image, while no guest code runs, and after the memory was harvested. A machine of the
 * image's lineage has the regions where the image has them.
 */
public final class MemoryRestore implements AutoCloseable {
  private static final int PAGE = ImageMemory.PAGE;
  private static final int BLOCK_PAGES = 256;

  private final MachineMemory target;
  private final MappedGuestMemory.WriteListener written;
  private Optional<PageVersions> versionsBefore = Optional.empty();
  private final BackingFile before;
  private final BitSet replaced = new BitSet();

  /**
   * Nothing replaced yet.
   *
   * @param host where there is room for what is replaced
   * @param written told of what is replaced, for decoded code
   */
  public MemoryRestore(
      HostRoom host, MachineMemory target, MappedGuestMemory.WriteListener written) {
    this.target = target;
    this.written = written;
    this.before = host.create(target.segment().byteSize(), 0);
  }

  /**
   * Replaces the contents of the regions that are in the image.
   *
   * @param places where each of them lies in the machine
   */
  public void apply(ImageMemory image, Map<String, ImageMemory.Place> places) {
    versionsBefore = Optional.of(target.versions().copy());
    boolean related = target.versions().isRelatedTo(image.versions());
    BitSet different = related ? target.versions().differences(image.versions()) : new BitSet();
    try {
      for (Map.Entry<String, ImageMemory.Place> region : image.places().entrySet()) {
        long from = region.getValue().offset();
        int first = (int) (from / PAGE);
        int end = (int) ((from + region.getValue().bytes()) / PAGE);
        BitSet candidates = new BitSet();
        candidates.set(first, end);
        if (related) {
          candidates.and(different);
        }
        copy(image, candidates, places.get(region.getKey()).offset() - from);
      }
    } catch (IOException e) {
      throw new VmException("cannot restore the machine's memory: " + e.getMessage(), e);
    }
    if (related) {
      target.become(image.versions(), image.pages());
    } else {
      replaced.stream().forEach(page -> target.dirty().mark((long) page * PAGE, PAGE));
    }
  }

  /** Copies pages of the image to where they are in the machine, so many bytes further on. */
  private void copy(ImageMemory image, BitSet pages, long distance) throws IOException {
    byte[] now = new byte[BLOCK_PAGES * PAGE];
    byte[] then = new byte[BLOCK_PAGES * PAGE];
    int end;
    for (int first = pages.nextSetBit(0); first >= 0; first = pages.nextSetBit(end)) {
      end = Math.min(pages.nextClearBit(first), first + BLOCK_PAGES);
      int length = (end - first) * PAGE;
      long offset = (long) first * PAGE;
      if (image.isHole(offset, length) && target.isKnownZero(offset + distance, length)) {
        continue;
      }
      image.read(offset, then, 0, length);
      target.read(offset + distance, now, length);
      if (!Arrays.equals(then, 0, length, now, 0, length)) {
        replace(then, now, length, offset + distance);
      }
    }
  }

  private void replace(byte[] then, byte[] now, int length, long offset) throws IOException {
    int at = 0;
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
        target.write(offset + from, then, from, at - from);
        written.written(offset + from, at - from);
      }
    }
  }

  private static boolean isEqual(byte[] one, byte[] other, int at) {
    return Arrays.equals(one, at, at + PAGE, other, at, at + PAGE);
  }

  /** How many pages were replaced. */
  public int replacedPages() {
    return replaced.cardinality();
  }

  /** Puts back what was there. */
  public void undo() {
    byte[] page = new byte[PAGE];
    try {
      for (int i = replaced.nextSetBit(0); i >= 0; i = replaced.nextSetBit(i + 1)) {
        long offset = (long) i * PAGE;
        before.read(offset, page, 0, PAGE);
        target.write(offset, page, 0, PAGE);
        written.written(offset, PAGE);
      }
    } catch (IOException e) {
      throw new VmException("cannot put the machine's memory back: " + e.getMessage(), e);
    }
    versionsBefore.ifPresent(versions -> target.become(versions, replaced));
  }

  @Override
  public void close() {
    before.close();
  }
}
