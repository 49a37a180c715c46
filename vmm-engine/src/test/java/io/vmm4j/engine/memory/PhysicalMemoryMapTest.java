package io.vmm4j.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.backend.MemoryLocation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PhysicalMemoryMapTest {
  private static final int PAGE = 4096;
  private static final int PAGES = 64;

  private int made;

  private Precedence precedence(Precedence.Kind kind, int device) {
    return new Precedence(kind, device, made++, "");
  }

  private MemoryRange memory(int device, long page, long pages, long offsetPage, boolean writable) {
    return new MemoryRange(
        "m",
        page * PAGE,
        pages * PAGE,
        offsetPage * PAGE,
        writable,
        precedence(Precedence.Kind.MAPPING, device));
  }

  private MemoryRange window(int device, long base, long length) {
    return MemoryRange.window("w", base, length, precedence(Precedence.Kind.MOVABLE, device));
  }

  @Test
  void randomMapsAgreeWithALookAtEveryRange() {
    for (int seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      PhysicalMemoryMap map = new PhysicalMemoryMap();
      List<MemoryRange> model = new ArrayList<>();
      add(map, model, MemoryRange.shadowRam(8 * PAGE, 16 * PAGE, 8 * PAGE));
      add(map, model, MemoryRange.ram(0, 4 * PAGE, 0));
      for (int step = 0; step < 40; step++) {
        int device = random.nextInt(5);
        MemoryRange now =
            random.nextInt(3) == 0
                ? window(device, random.nextInt(PAGES * PAGE), 1 + random.nextInt(5000))
                : memory(
                    device,
                    random.nextInt(PAGES),
                    1 + random.nextInt(6),
                    random.nextInt(1000),
                    random.nextBoolean());
        if (random.nextBoolean()) {
          MemoryRange old = model.remove(2 % model.size());
          map.replace(old, now);
          model.add(now);
        } else {
          add(map, model, now);
        }
        check(map, model);
      }
      while (!model.isEmpty()) {
        map.remove(model.remove(random.nextInt(model.size())));
        check(map, model);
      }
    }
  }

  private static void add(PhysicalMemoryMap map, List<MemoryRange> model, MemoryRange range) {
    map.add(range);
    model.add(range);
  }

  private static MemoryRange top(List<MemoryRange> model, long address) {
    return model.stream()
        .filter(r -> address >= r.base() && address < r.end())
        .min(Comparator.comparing(MemoryRange::precedence))
        .orElse(null);
  }

  private static void check(PhysicalMemoryMap map, List<MemoryRange> model) {
    for (long page = 0; page < PAGES + 8; page++) {
      // All that can change within a page: where a window begins or ends.
      boolean whole = true;
      MemoryRange first = top(model, page * PAGE);
      List<Long> edges = new ArrayList<>(List.of(page * PAGE));
      for (MemoryRange range : model) {
        edges.add(range.base());
        edges.add(range.end());
      }
      for (long edge : edges) {
        if (edge / PAGE == page) {
          MemoryRange there = top(model, edge);
          assertThat(map.at(edge)).isSameAs(there);
          whole &= there == first;
        }
      }
      MemoryLocation found = map.locate(page * PAGE);
      boolean isMemory = whole && first != null && first.isMemory();
      assertThat(found.isMemory()).as("page %d of %s", page, map).isEqualTo(isMemory);
      if (isMemory) {
        assertThat(found.offset() + page * PAGE - found.base())
            .isEqualTo(first.offset() + page * PAGE - first.base());
        assertThat(found.writable()).isEqualTo(first.writable());
      }
    }
    for (MemoryRange range : model) {
      boolean covered =
          model.stream()
              .anyMatch(r -> r.precedence().compareTo(range.precedence()) < 0 && r.overlaps(range));
      assertThat(map.covering(range).isPresent()).isEqualTo(covered);
    }
  }

  @Test
  void ramComesFirstThenTheBoardThenDevicesInOrderAndShadowRamLast() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    MemoryRange shadow = MemoryRange.shadowRam(0, PAGE, 0);
    MemoryRange mapping = memory(1, 0, 1, 7, true);
    MemoryRange later = window(2, 0, PAGE);
    MemoryRange fixed = MemoryRange.window("f", 0, PAGE, precedence(Precedence.Kind.FIXED, 9));
    MemoryRange ram = MemoryRange.ram(0, PAGE, 5 * PAGE);
    List<MemoryRange> upwards = List.of(shadow, later, mapping, fixed, ram);
    for (MemoryRange range : upwards) {
      map.add(range);
      assertThat(map.at(0)).isSameAs(range);
    }
    for (MemoryRange range : upwards.reversed()) {
      assertThat(map.at(0)).isSameAs(range);
      map.remove(range);
    }
    assertThat(map.at(0)).isNull();
  }

  @Test
  void whatLiesInPartBeyondTheEndIsNoRange() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    map.add(memory(0, 0, 1, 0, true));
    for (long address : new long[] {PAGE, PhysicalMemoryMap.END, Long.MAX_VALUE, -1, -PAGE}) {
      assertThat(map.locate(address).isMemory()).isFalse();
      assertThat(map.at(address)).isNull();
    }
    assertThat(PhysicalMemoryMap.isPossible(PhysicalMemoryMap.END - 1, 2)).isFalse();
    assertThatThrownBy(() -> map.add(window(0, PhysicalMemoryMap.END - 1, 2)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void listenersHearOnlyOfMemoryThatMoves() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    AtomicInteger moved = new AtomicInteger();
    AtomicInteger changed = new AtomicInteger();
    map.onMemoryMoved(moved::incrementAndGet);
    map.onChange(changed::incrementAndGet);
    map.add(window(0, 0x1000, 0x100));
    assertThat(moved).hasValue(0);
    assertThat(changed).hasValue(1);
    map.add(memory(0, 4, 1, 0, true));
    assertThat(moved).hasValue(1);
    map.add(memory(3, 4, 1, 0, true));
    assertThat(changed).hasValue(2); // it is below, and seen nowhere
  }
}
