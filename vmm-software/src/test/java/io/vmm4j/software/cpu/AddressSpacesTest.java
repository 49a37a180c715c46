package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.TestHost;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Translations that outlive a load of CR3: behind each load accesses go where the page tables say,
 * whoever has changed them, in whatever order (Intel SDM volume 3, 4.10.4). The tables of each root
 * lead from 1 GiB on to pages of 4 KiB, and map the tables themselves at their own addresses.
 */
class AddressSpacesTest {
  private static final long P = 1;
  private static final long W = 2;
  private static final long ACCESSED = 0x20;
  private static final long DIRTY = 0x40;
  private static final long LARGE = 0x80;
  private static final long GLOBAL = 0x100;

  private static final int ROOTS = 20;
  private static final long TABLES = 0x10_0000;
  private static final long DATA = 0x40_0000;
  private static final int DATA_PAGES = 32;
  private static final long LINEAR = 1L << 30;
  private static final int LINEAR_PAGES = 16;

  private final TestHost host = new TestHost();
  private final Cpu cpu = new Cpu(0, host);

  @BeforeEach
  void pages() {
    for (int i = 0; i < DATA_PAGES; i++) {
      put(DATA + 0x1000L * i, marker(i));
    }
    for (int root = 0; root < ROOTS; root++) {
      long top = root(root);
      put(top, top + 0x1000 | P | W);
      // The first 16 MiB are mapped onto themselves by pages that are not global.
      put(top + 0x1000, top + 0x2000 | P | W);
      for (long i = 0; i < 8; i++) {
        put(top + 0x2000 + 8 * i, i << 21 | LARGE | P | W);
      }
      put(top + 0x1008, top + 0x3000 | P | W);
      put(top + 0x3000, top + 0x4000 | P | W);
      for (int page = 0; page < LINEAR_PAGES; page++) {
        put(top + 0x4000 + 8L * page, data(page + root) | P | W);
      }
    }
    cpu.cr0 = 0x8000_0011L;
    cpu.cr3 = root(0);
    cpu.cr4 = 0x20;
    cpu.efer = 0x500;
    cpu.modeChanged();
    cpu.mmu.flush();
  }

  private static long root(int number) {
    return TABLES + 0x8000L * number;
  }

  private static long entry(int root, int page) {
    return root(root) + 0x4000 + 8L * page;
  }

  private static long directoryEntry(int root) {
    return root(root) + 0x3000;
  }

  private static long data(int number) {
    return DATA + 0x1000L * (number % DATA_PAGES);
  }

  private static long marker(int number) {
    return 0x1111L * (number % DATA_PAGES + 1);
  }

  private static long linear(int page) {
    return LINEAR + 0x1000L * page;
  }

  private void put(long at, long value) {
    host.memory().set(ValueLayout.JAVA_LONG, at, value);
  }

  private long get(long at) {
    return host.memory().get(ValueLayout.JAVA_LONG, at);
  }

  /** A store by an instruction, to memory that is mapped onto itself. */
  private void store(long at, long value) {
    cpu.mmu.write64(at, value);
  }

  /** A store by a device. */
  private void storeByDevice(long at, long value) {
    put(at, value);
    cpu.mmu.writtenByOthers(at, 8);
    cpu.mmu.applyChanges();
  }

  private void load(int root) {
    cpu.mmu.setRoot(root(root));
  }

  private boolean isWatched(long table) {
    return cpu.mmu.code().pageTables().isWatched(table);
  }

  private boolean isKnown(int page) {
    return cpu.mmu.isKnown(linear(page), Mmu.READ);
  }

  @Test
  void whatDidNotChangeIsKnownWhenCr3ComesBack() {
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    load(1);
    assertThat(isKnown(3)).as("in another address space").isFalse();
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(4));
    load(0);
    assertThat(isKnown(3)).isTrue();
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
  }

  @Test
  void anEntryThatWasPresentAndIsChangedVoidsItsPageAlone() {
    assertThat(cpu.mmu.read64(linear(3)) + cpu.mmu.read64(linear(4))).isNotZero();
    load(1);
    store(entry(0, 3), data(20) | P | W);
    load(0);
    assertThat(isKnown(4)).isTrue();
    assertThat(isKnown(3)).isFalse();
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(20));
  }

  @Test
  void anEntryThatWasNotPresentVoidsNothing() {
    put(entry(0, 5), 0);
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    store(entry(0, 5), data(9) | P | W);
    load(0);
    assertThat(isKnown(3)).isTrue();
    assertThat(cpu.mmu.read64(linear(5))).isEqualTo(marker(9));
  }

  @Test
  void anEntryOfADirectoryVoidsAllAndItsTablesArePlainMemoryAgain() {
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    assertThat(isWatched(entry(0, 0))).isTrue();
    store(directoryEntry(0), root(7) + 0x4000 | P | W);
    assertThat(isWatched(entry(0, 0))).isFalse();
    load(0);
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(10));
    assertThat(isWatched(entry(7, 0))).isTrue();
  }

  @Test
  void aTableOfTwoRootsVoidsThePageInBoth() {
    put(directoryEntry(1), get(directoryEntry(0)));
    for (int root : new int[] {0, 1}) {
      load(root);
      assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    }
    store(entry(0, 3), data(21) | P | W);
    for (int root : new int[] {0, 1}) {
      load(root);
      assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(21));
    }
  }

  @Test
  void aDeviceThatWritesToATableIsSeen() {
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    load(1);
    storeByDevice(entry(0, 3), data(22) | P | W);
    load(0);
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(22));
  }

  @Test
  void aStoreOfABytePartOfAnEntryIsSeen() {
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    cpu.mmu.write8(entry(0, 3) + 1, (int) (data(4) >> 8));
    load(0);
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(4));
  }

  @Test
  void aStoreAcrossTwoEntriesIsSeen() {
    assertThat(cpu.mmu.read64(linear(3)) + cpu.mmu.read64(linear(4))).isNotZero();
    store(entry(0, 3) + 4, (data(9) | P | W) << 32);
    load(0);
    assertThat(cpu.mmu.read64(linear(4))).isEqualTo(marker(9));
  }

  @Test
  void accessedBitsThatAreClearedAreSetByTheNextAccess() {
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    cpu.mmu.write64(linear(4), 5);
    store(entry(0, 3), get(entry(0, 3)) & ~ACCESSED);
    store(entry(0, 4), get(entry(0, 4)) & ~DIRTY);
    load(0);
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    cpu.mmu.write64(linear(4), 6);
    assertThat(get(entry(0, 3)) & ACCESSED).isNotZero();
    assertThat(get(entry(0, 4)) & DIRTY).isNotZero();
  }

  @Test
  void moreRootsThanAreKept() {
    for (int round = 0; round < 3; round++) {
      for (int root = 0; root < ROOTS; root++) {
        load(root);
        for (int page = 0; page < LINEAR_PAGES; page++) {
          assertThat(cpu.mmu.read64(linear(page))).isEqualTo(marker(page + root));
        }
      }
    }
  }

  @Test
  void codeMayBeginToLieInAPageThatAnotherAddressSpaceCanStoreTo() {
    cpu.mmu.write64(linear(3), 0x90);
    assertThat(cpu.mmu.isKnown(linear(3), Mmu.WRITE)).isTrue();
    load(1);
    cpu.mmu.protectFromWrites(data(3));
    load(0);
    assertThat(cpu.mmu.isKnown(linear(3), Mmu.WRITE)).isFalse();
    assertThat(isKnown(3)).isTrue();
  }

  @Test
  void theNextStoreIsReportedInEachAddressSpaceOnceWritesWereHarvested() {
    cpu.mmu.write64(linear(3), 7);
    load(1);
    cpu.mmu.forgetWritable();
    load(0);
    assertThat(cpu.mmu.isKnown(linear(3), Mmu.WRITE)).isFalse();
  }

  @Test
  void globalPagesAreKnownInAnAddressSpaceThatBegins() {
    cpu.cr4 |= 0x80;
    cpu.mmu.flush();
    put(entry(0, 3), data(3) | P | W | GLOBAL);
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    load(1);
    assertThat(isKnown(3)).isTrue();
    cpu.mmu.flushPage(linear(3));
    for (int root : new int[] {0, 1}) {
      load(root);
      assertThat(isKnown(3)).isFalse();
    }
  }

  @Test
  void invlpgForgetsAllOfALargePage() {
    cpu.cr4 |= 0x80;
    put(directoryEntry(0), DATA | LARGE | P | W | GLOBAL);
    cpu.mmu.flush();
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(marker(3));
    storeByDevice(directoryEntry(0), DATA + 0x20_0000 | LARGE | P | W);
    assertThat(cpu.mmu.read64(linear(3))).as("a global page stays").isEqualTo(marker(3));
    cpu.mmu.flushPage(linear(9));
    assertThat(cpu.mmu.read64(linear(3))).isEqualTo(get(DATA + 0x20_3000));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void accessesGoWhereTheTablesSay(long seed) {
    Random random = new Random(seed);
    for (int step = 0; step < 20_000; step++) {
      int root = random.nextInt(ROOTS);
      int page = random.nextInt(LINEAR_PAGES);
      switch (random.nextInt(8)) {
        case 0, 1 -> store(entry(root, page), someEntry(random));
        case 2 -> storeByDevice(entry(root, page), someEntry(random));
        case 3 -> cpu.mmu.write8(entry(root, page) + random.nextInt(2), random.nextInt(256));
        case 4 -> {
          if (random.nextInt(20) == 0) {
            int other = random.nextInt(ROOTS);
            store(directoryEntry(root), root(other) + 0x4000 | P | W);
          }
        }
        default -> {}
      }
      load(random.nextInt(4) == 0 ? root : root % 5);
      for (int i = 0; i < 3; i++) {
        check(random.nextInt(LINEAR_PAGES), random.nextBoolean());
      }
    }
  }

  private static long someEntry(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> data(random.nextInt(DATA_PAGES)) | P;
      default -> data(random.nextInt(DATA_PAGES)) | P | W;
    };
  }

  /** Accesses a page, and compares with a walk of the test's own. */
  private void check(int page, boolean write) {
    long table = get(cpu.cr3 + 0x3000) & -0x1000;
    long at = table + 8L * page;
    long before = get(at);
    boolean present = (before & P) != 0;
    long target = before & 0xFF_FFFF_F000L;
    if (target + 0x1000 > TestHost.MEMORY_BYTES || target < DATA) {
      return; // a byte that was stored to an entry has made it lead anywhere
    }
    boolean reached;
    try {
      if (write) {
        cpu.mmu.write64(linear(page) + 8, page);
      } else {
        assertThat(cpu.mmu.read64(linear(page))).isEqualTo(get(target));
      }
      reached = true;
    } catch (CpuFault e) {
      reached = false;
    }
    assertThat(reached).as("an entry of %x", before).isEqualTo(present);
    if (reached) {
      long bits = write ? ACCESSED | DIRTY : ACCESSED;
      assertThat(get(at) & bits).isEqualTo(bits);
    }
    if (reached && write) {
      assertThat(get(target + 8)).isEqualTo(page);
    }
  }
}
