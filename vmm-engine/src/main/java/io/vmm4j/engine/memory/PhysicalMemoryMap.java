package io.vmm4j.engine.memory;

import io.vmm4j.api.backend.MemoryLocation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What lies where in the guest physical address space: RAM, mapped device memory, trapped windows,
 * nothing. Ranges don't overlap, but for <em>shadow</em> RAM (0xC0000 to 0xFFFFF of a PC), which
 * gives way to whatever is mapped over it and is back when that is gone, as under the control of a
 * chipset's PAM registers.
 *
 * <p>Changes are made with the machine lock held. {@link #locate} may be called from any thread; it
 * searches an immutable picture of the map that each change replaces.
 */
public final class PhysicalMemoryMap {
  /** The first address that no processor can address (Intel SDM volume 3, 4.1.4). */
  public static final long END = 1L << 52;

  private static final long PAGE_MASK = 4095;

  private final NavigableMap<Long, MemoryRange> ranges = new TreeMap<>();
  private final List<MemoryRange> shadows = new ArrayList<>();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile MemoryLocation[] picture = picture();

  /** Registers what to call, with the machine lock held, after memory has moved. */
  public void onMemoryMoved(Runnable listener) {
    listeners.add(listener);
  }

  /** Adds RAM that gives way to what is mapped over it. */
  public void addShadow(MemoryRange ram) {
    checkPages(ram);
    shadows.add(ram);
    publish();
  }

  /**
   * Adds a range.
   *
   * @return what is in the way, if anything is; nothing is changed then
   */
  public Optional<MemoryRange> add(MemoryRange range) {
    return replace(null, range);
  }

  /** Removes a range that was added. */
  public void remove(MemoryRange range) {
    replace(range, null);
  }

  /**
   * Puts one range in the place of another, in one step. Either may be absent.
   *
   * @return what is in the way of the new one, if anything is; nothing is changed then
   */
  public Optional<MemoryRange> replace(@Nullable MemoryRange old, @Nullable MemoryRange now) {
    if (old != null && !old.equals(ranges.get(old.base()))) {
      throw new IllegalStateException("not in the map: " + old);
    }
    if (now != null) {
      if (now.isMemory()) {
        checkPages(now);
      }
      if (now.base() < 0 || now.length() <= 0 || now.base() > END - now.length()) {
        return Optional.of(MemoryRange.window("the end of the address space", END, PAGE_MASK + 1));
      }
      Optional<MemoryRange> conflict = conflict(old, now);
      if (conflict.isPresent()) {
        return conflict;
      }
    }
    if (old != null) {
      ranges.remove(old.base());
    }
    if (now != null) {
      ranges.put(now.base(), now);
    }
    publish();
    return Optional.empty();
  }

  private Optional<MemoryRange> conflict(@Nullable MemoryRange except, MemoryRange range) {
    Map.Entry<Long, MemoryRange> first = ranges.floorEntry(range.base());
    long from = first == null ? range.base() : first.getKey();
    return ranges.subMap(from, true, range.end(), false).values().stream()
        .filter(r -> !r.equals(except) && r.overlaps(range))
        .findFirst();
  }

  private static void checkPages(MemoryRange range) {
    if (((range.base() | range.length() | range.offset()) & PAGE_MASK) != 0) {
      throw new IllegalArgumentException("not made of whole pages: " + range);
    }
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

  private void publish() {
    MemoryLocation[] before = picture;
    MemoryLocation[] after = picture();
    if (!java.util.Arrays.equals(before, after)) {
      picture = after;
      listeners.forEach(Runnable::run);
    }
  }

  private MemoryLocation[] picture() {
    List<MemoryRange> memory = new ArrayList<>();
    for (MemoryRange range : ranges.values()) {
      if (range.isMemory()) {
        memory.add(range);
      }
    }
    for (MemoryRange shadow : shadows) {
      addUncovered(shadow, memory);
    }
    memory.sort(Comparator.comparingLong(MemoryRange::base));
    List<MemoryLocation> locations = new ArrayList<>();
    long end = 0;
    for (MemoryRange range : memory) {
      if (range.base() > end) {
        locations.add(new MemoryLocation(end, range.base() - end, -1, false));
      }
      append(locations, range);
      end = range.end();
    }
    // The last range reaches to the end of what 64 bits count, so that every address has an answer.
    locations.add(new MemoryLocation(end, Long.MAX_VALUE - PAGE_MASK - end, -1, false));
    return locations.toArray(MemoryLocation[]::new);
  }

  private static void append(List<MemoryLocation> locations, MemoryRange range) {
    if (!locations.isEmpty()) {
      MemoryLocation last = locations.getLast();
      if (last.isMemory()
          && last.base() + last.length() == range.base()
          && last.offset() + last.length() == range.offset()
          && last.writable() == range.writable()) {
        locations.set(
            locations.size() - 1,
            new MemoryLocation(
                last.base(), last.length() + range.length(), last.offset(), last.writable()));
        return;
      }
    }
    locations.add(
        new MemoryLocation(range.base(), range.length(), range.offset(), range.writable()));
  }

  /** The parts of a shadow over which nothing lies, in whole pages. */
  private void addUncovered(MemoryRange shadow, List<MemoryRange> target) {
    long from = shadow.base();
    for (MemoryRange cover : ranges.values()) {
      long coverBase = cover.base() & ~PAGE_MASK;
      long coverEnd = (cover.end() + PAGE_MASK) & ~PAGE_MASK;
      if (coverEnd <= from || coverBase >= shadow.end()) {
        continue;
      }
      if (coverBase > from) {
        target.add(part(shadow, from, coverBase));
      }
      from = coverEnd;
    }
    if (from < shadow.end()) {
      target.add(part(shadow, from, shadow.end()));
    }
  }

  private static MemoryRange part(MemoryRange whole, long from, long end) {
    long offset = whole.offset() + from - whole.base();
    return new MemoryRange(whole.owner(), from, end - from, offset, whole.writable());
  }

  /** Every range but shadows, by address; for messages and tests. With the machine lock held. */
  public List<MemoryRange> ranges() {
    return List.copyOf(ranges.values());
  }

  @Override
  public String toString() {
    return Objects.toString(ranges.values()) + " over " + shadows;
  }
}
