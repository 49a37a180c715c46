package io.vmm4j.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.MemoryLocation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PhysicalMemoryMapTest {
  private static final int PAGE = 4096;
  private static final int PAGES = 64;

  private static MemoryRange memory(long page, long pages, long offsetPage, boolean writable) {
    return new MemoryRange("m", page * PAGE, pages * PAGE, offsetPage * PAGE, writable);
  }

  @Test
  void randomMapsAgreeWithALookAtEveryRange() {
    for (int seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      PhysicalMemoryMap map = new PhysicalMemoryMap();
      MemoryRange shadow = memory(8, 16, 8, true);
      map.addShadow(shadow);
      List<MemoryRange> model = new ArrayList<>();
      for (int step = 0; step < 40; step++) {
        MemoryRange now =
            random.nextInt(4) == 0
                ? MemoryRange.window("w", random.nextInt(PAGES * PAGE), 1 + random.nextInt(5000))
                : memory(
                    random.nextInt(PAGES),
                    1 + random.nextInt(6),
                    random.nextInt(1000),
                    random.nextBoolean());
        MemoryRange old =
            !model.isEmpty() && random.nextBoolean()
                ? model.get(random.nextInt(model.size()))
                : null;
        boolean free = model.stream().noneMatch(r -> r != old && r.overlaps(now));
        Optional<MemoryRange> conflict = map.replace(old, now);
        assertThat(conflict.isEmpty()).as("seed %d step %d", seed, step).isEqualTo(free);
        if (free) {
          model.remove(old);
          model.add(now);
        }
        check(map, model, shadow);
      }
    }
  }

  private static void check(PhysicalMemoryMap map, List<MemoryRange> model, MemoryRange shadow) {
    for (long address = 0; address < (PAGES + 8) * PAGE; address += PAGE / 2) {
      long offset = -1;
      boolean writable = false;
      boolean covered = false;
      MemoryRange page = MemoryRange.window("p", address & -PAGE, PAGE);
      for (MemoryRange range : model) {
        covered |= range.overlaps(page);
        if (range.isMemory() && address >= range.base() && address < range.end()) {
          offset = range.offset() + address - range.base();
          writable = range.writable();
        }
      }
      if (!covered && address >= shadow.base() && address < shadow.end()) {
        offset = address;
        writable = true;
      }
      MemoryLocation found = map.locate(address);
      assertThat(address - found.base()).isBetween(0L, found.length() - 1);
      assertThat(found.isMemory() ? found.offset() + address - found.base() : -1)
          .as("0x%x in %s", address, map)
          .isEqualTo(offset);
      assertThat(found.writable()).isEqualTo(writable);
    }
  }

  @Test
  void whatIsInTheWayIsNamedAndTheOldRangeStays() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    MemoryRange first = memory(0, 2, 0, true);
    MemoryRange second = memory(4, 2, 4, true);
    map.add(first);
    map.add(second);
    assertThat(map.replace(first, memory(5, 1, 0, true))).contains(second);
    assertThat(map.ranges()).containsExactly(first, second);
  }

  @Test
  void everyAddressHasAnAnswerBeyondTheEndToo() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    map.add(memory(0, 1, 0, true));
    for (long address : new long[] {PAGE, PhysicalMemoryMap.END, Long.MAX_VALUE, -1, -PAGE}) {
      assertThat(map.locate(address).isMemory()).isFalse();
    }
    assertThat(map.add(MemoryRange.window("w", PhysicalMemoryMap.END - 1, 2))).isPresent();
  }

  @Test
  void listenersHearOnlyOfMemoryThatMoves() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    AtomicInteger heard = new AtomicInteger();
    map.onMemoryMoved(heard::incrementAndGet);
    map.add(MemoryRange.window("w", 0x1000, 0x100));
    assertThat(heard).hasValue(0);
    map.add(memory(4, 1, 0, true));
    assertThat(heard).hasValue(1);
  }
}
