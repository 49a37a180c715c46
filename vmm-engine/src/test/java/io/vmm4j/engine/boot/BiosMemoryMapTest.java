package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class BiosMemoryMapTest {
  private static final long GIB = 1L << 30;

  @Test
  void ramBeyondThreeGibibytesContinuesAtFour() {
    BiosMemoryMap ram = new BiosMemoryMap(5 * GIB);

    assertThat(ram.lowBytes()).isEqualTo(3 * GIB);
    assertThat(ram.highBytes()).isEqualTo(2 * GIB);
    assertThat(ram.map().getLast()).isEqualTo(new BiosMemoryMap.Range(4 * GIB, 2 * GIB, 1));
  }

  @Test
  void rangesThatLeaveRamOrOverflowAreNotInIt() {
    BiosMemoryMap ram = new BiosMemoryMap(4 * GIB);

    assertThat(ram.contains(3 * GIB - 1, 1)).isTrue();
    assertThat(ram.contains(3 * GIB - 1, 2)).isFalse();
    assertThat(ram.contains(4 * GIB, GIB)).isTrue();
    assertThat(ram.contains(4 * GIB - 1, 1)).isFalse();
    assertThat(ram.contains(4 * GIB, GIB + 1)).isFalse();
    assertThat(ram.contains(16, Long.MAX_VALUE)).isFalse();
    assertThat(ram.contains(-1, 1)).isFalse();
    assertThat(ram.contains(0, -1)).isFalse();
  }

  @Test
  void theMapAscendsWithoutOverlaps() {
    long end = 0;
    for (BiosMemoryMap.Range range : new BiosMemoryMap(6 * GIB).map()) {
      assertThat(range.address()).isGreaterThanOrEqualTo(end);
      end = range.address() + range.length();
    }
  }
}
