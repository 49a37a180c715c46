package io.vmm4j.engine.memory;

import io.vmm4j.api.backend.MemoryLocation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What lies where in the guest physical address space: RAM, mapped device memory, trapped windows,
 * nothing. Ranges may overlap: where they do, the one of the lowest {@link Precedence} is seen, and
 * what lies below it is seen again when it goes. So nobody is refused a place, as in hardware.
 *
 * <p>Backends map whole pages. A page of which a window covers a part is trapped; the bus of the
 * windows reaches the memory beside it.
 *
 * <p>Changes are made with the machine lock held. {@link #locate} may be called from any thread; it
 * searches an immutable picture of the map that each change replaces.
 */
public final class PhysicalMemoryMap {
  /** The first address that no processor can address (Intel SDM volume 3, 4.1.4). */
  public static final long END = 1L << 52;

  private static final long PAGE_MASK = 4095;

  /** A piece of the address space of which one range is seen. */
  record Segment(long base, long end, MemoryRange range) {}

  private final NavigableSet<MemoryRange> ranges =
      new TreeSet<>((a, b) -> a.precedence().compareTo(b.precedence()));
  private final List<Runnable> moveListeners = new CopyOnWriteArrayList<>();
  private final List<Runnable> changeListeners = new ArrayList<>();
  private Segment[] segments = {};
  private volatile MemoryLocation[] picture = picture(segments);

  /** Registers what to call, with the machine lock held, after memory has moved. */
  public void onMemoryMoved(Runnable listener) {
    moveListeners.add(listener);
  }

  /** Registers what to call, with the machine lock held, after anything else is seen somewhere. */
  public void onChange(Runnable listener) {
    changeListeners.add(listener);
  }

  /** Adds a range. */
  public void add(MemoryRange range) {
    replace(null, range);
  }

  /** Removes a range that was added. */
  public void remove(MemoryRange range) {
    replace(range, null);
  }

  /**
   * Puts one range in the place of another, in one step. Either may be absent.
   *
   * @throws IllegalArgumentException if the new one is memory that is not made of whole pages, or
   *     does not lie within the address space
   */
  public void replace(@Nullable MemoryRange old, @Nullable MemoryRange now) {
    if (old != null && !ranges.remove(old)) {
      throw new IllegalStateException("not in the map: " + old);
    }
    if (now != null) {
      if (!isPossible(now.base(), now.length())
          || now.isMemory() && ((now.base() | now.length() | now.offset()) & PAGE_MASK) != 0) {
        throw new IllegalArgumentException("no place for " + now);
      }
      if (!ranges.add(now)) {
        throw new IllegalStateException("two of one precedence: " + now);
      }
    }
    publish();
  }

  /** Whether a range lies within the address space: what does not can't be seen anywhere. */
  public static boolean isPossible(long base, long length) {
    return base >= 0 && length > 0 && base <= END - length;
  }

  /** What lies at an address, for the whole range around it. Any thread, no lock, O(log n). */
  public MemoryLocation locate(long guestPhysicalAddress) {
    MemoryLocation[] locations = picture;
    int low = 0;
    int high = locations.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      // A negative address is one above END when unsigned: it belongs to the last range.
      if (Long.compareUnsigned(locations[middle].base(), guestPhysicalAddress) <= 0) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return locations[low];
  }

  /** The range that is seen at an address. With the machine lock held. */
  public @Nullable MemoryRange at(long guestPhysicalAddress) {
    Segment[] all = segments;
    int low = 0;
    int high = all.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (guestPhysicalAddress < all[middle].base) {
        high = middle - 1;
      } else if (guestPhysicalAddress >= all[middle].end) {
        low = middle + 1;
      } else {
        return all[middle].range;
      }
    }
    return null;
  }

  /** What is seen instead of some part of a range, if anything is. With the machine lock held. */
  public Optional<MemoryRange> covering(MemoryRange range) {
    for (MemoryRange upper : ranges.headSet(range, false)) {
      if (upper.overlaps(range)) {
        return Optional.of(upper);
      }
    }
    return Optional.empty();
  }

  private void publish() {
    Segment[] now = segments();
    if (Arrays.equals(now, segments)) {
      return;
    }
    segments = now;
    MemoryLocation[] after = picture(now);
    if (!Arrays.equals(picture, after)) {
      picture = after;
      moveListeners.forEach(Runnable::run);
    }
    changeListeners.forEach(Runnable::run);
  }

  /** What is seen, by address: from each address on at which a range begins or ends. */
  private Segment[] segments() {
    List<MemoryRange> byBase = new ArrayList<>(ranges);
    byBase.sort((a, b) -> Long.compare(a.base(), b.base()));
    long[] edges =
        ranges.stream()
            .flatMapToLong(r -> java.util.stream.LongStream.of(r.base(), r.end()))
            .sorted()
            .distinct()
            .toArray();
    NavigableSet<MemoryRange> open = new TreeSet<>(ranges.comparator());
    List<Segment> found = new ArrayList<>();
    int next = 0;
    for (int i = 0; i + 1 < edges.length; i++) {
      long from = edges[i];
      open.removeIf(range -> range.end() <= from);
      while (next < byBase.size() && byBase.get(next).base() == from) {
        open.add(byBase.get(next++));
      }
      if (!open.isEmpty()) {
        MemoryRange seen = open.first();
        boolean goesOn =
            !found.isEmpty() && found.getLast().range == seen && found.getLast().end == from;
        long base = goesOn ? found.removeLast().base : from;
        found.add(new Segment(base, edges[i + 1], seen));
      }
    }
    return found.toArray(Segment[]::new);
  }

  private static MemoryLocation[] picture(Segment[] segments) {
    List<MemoryLocation> locations = new ArrayList<>();
    long end = 0;
    for (Segment segment : segments) {
      long from = (segment.base + PAGE_MASK) & ~PAGE_MASK;
      long to = segment.end & ~PAGE_MASK;
      if (!segment.range.isMemory() || from >= to) {
        continue;
      }
      if (from > end) {
        locations.add(new MemoryLocation(end, from - end, -1, false));
      }
      append(locations, segment.range, from, to);
      end = to;
    }
    // The last range reaches to the end of what 64 bits count, so that every address has an answer.
    locations.add(new MemoryLocation(end, Long.MAX_VALUE - PAGE_MASK - end, -1, false));
    return locations.toArray(MemoryLocation[]::new);
  }

  private static void append(
      List<MemoryLocation> locations, MemoryRange range, long from, long to) {
    long offset = range.offset() + from - range.base();
    long base = from;
    if (!locations.isEmpty()) {
      MemoryLocation last = locations.getLast();
      if (last.isMemory()
          && last.base() + last.length() == from
          && last.offset() + last.length() == offset
          && last.writable() == range.writable()) {
        locations.removeLast();
        base = last.base();
        offset = last.offset();
      }
    }
    locations.add(new MemoryLocation(base, to - base, offset, range.writable()));
  }

  /** Every range, the one of the lowest precedence first. With the machine lock held. */
  public List<MemoryRange> ranges() {
    return List.copyOf(ranges);
  }

  @Override
  public String toString() {
    return ranges.toString();
  }
}
