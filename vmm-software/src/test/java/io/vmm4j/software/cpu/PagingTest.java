package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.vmm4j.software.TestHost;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Translation, access rights, accessed and dirty bits, reserved bits and the error codes of #PF in
 * every paging mode and page size: Intel SDM volume 3, 4.3 to 4.8.
 */
class PagingTest {
  private static final int P = 1;
  private static final int W = 2;
  private static final int U = 4;
  private static final int A = 0x20;
  private static final int D = 0x40;
  private static final int PS = 0x80;
  private static final long NX = 1L << 63;

  private static final int CR4_PSE = 0x10;
  private static final int CR4_PAE = 0x20;
  private static final int CR4_SMEP = 1 << 20;
  private static final int CR4_SMAP = 1 << 21;
  private static final long CR0_WP = 0x1_0000;

  private static final int ERROR_P = 1;
  private static final int ERROR_W = 2;
  private static final int ERROR_U = 4;
  private static final int ERROR_RSVD = 8;
  private static final int ERROR_I = 16;

  private static final long TABLES = 0x10_0000;
  private static final int[] ACCESSES = {Mmu.READ, Mmu.WRITE, Mmu.FETCH};

  /** Paging modes with the levels that a walk to a page of each size takes. */
  private enum Shape {
    BITS32_4K(4, 10, 12, 2),
    BITS32_4M(4, 10, 22, 1),
    PAE_4K(8, 9, 12, 3),
    PAE_2M(8, 9, 21, 2),
    LONG_4K(8, 9, 12, 4),
    LONG_2M(8, 9, 21, 3),
    LONG_1G(8, 9, 30, 2);

    final int entryBytes;
    final int indexBits;
    final int pageBits;
    final int levels;

    Shape(int entryBytes, int indexBits, int pageBits, int levels) {
      this.entryBytes = entryBytes;
      this.indexBits = indexBits;
      this.pageBits = pageBits;
      this.levels = levels;
    }

    boolean isLong() {
      return name().startsWith("LONG");
    }

    boolean isPae() {
      return name().startsWith("PAE");
    }

    boolean isLarge() {
      return pageBits > 12;
    }

    /** The page directory pointer table of PAE paging has no rights. */
    boolean hasRights(int step) {
      return !(isPae() && step == 0);
    }
  }

  private final TestHost host = new TestHost();
  private final Cpu cpu = new Cpu(0, host);

  private static long linearOf(Shape shape) {
    return shape.isLong() ? 0x0000_5A5A_8123_4ABCL : 0x8123_4ABCL;
  }

  private void enter(Shape shape, long cr4, long cr0, boolean nxEnabled) {
    cpu.cr0 = 0x8000_0011L | cr0;
    cpu.cr3 = TABLES;
    cpu.cr4 = cr4 | (shape.entryBytes == 8 ? CR4_PAE : CR4_PSE);
    cpu.efer = (shape.isLong() ? 0x500 : 0) | (nxEnabled ? 0x800 : 0);
    cpu.modeChanged();
    cpu.mmu.flush();
  }

  private static long entryAddress(Shape shape, long linear, int step) {
    int levelsBelow = shape.levels - 1 - step;
    long index = linear >>> shape.pageBits + shape.indexBits * levelsBelow;
    long mask = shape.isPae() && step == 0 ? 3 : (1 << shape.indexBits) - 1;
    return TABLES + 0x1000L * step + (index & mask) * shape.entryBytes;
  }

  private void put(Shape shape, long at, long value) {
    if (shape.entryBytes == 8) {
      host.memory().set(ValueLayout.JAVA_LONG, at, value);
    } else {
      host.memory().set(ValueLayout.JAVA_INT, at, (int) value);
    }
  }

  private long get(Shape shape, long at) {
    return shape.entryBytes == 8
        ? host.memory().get(ValueLayout.JAVA_LONG, at)
        : host.memory().get(ValueLayout.JAVA_INT, at) & 0xFFFF_FFFFL;
  }

  /** Maps the page at physical 0 (for a large page) or 0x5000. */
  private void map(Shape shape, long linear, long upper, long leaf) {
    for (int step = 0; step < shape.levels; step++) {
      boolean last = step == shape.levels - 1;
      long next = TABLES + 0x1000L * (step + 1);
      long entry =
          last
              ? leaf | P | (shape.isLarge() ? PS : 0x5000)
              : next | P | (shape.hasRights(step) ? upper : 0);
      put(shape, entryAddress(shape, linear, step), entry);
    }
  }

  private static long physical(Shape shape, long linear) {
    return (shape.isLarge() ? 0 : 0x5000) + (linear & (1L << shape.pageBits) - 1);
  }

  /** The error code of the fault, or -1. */
  private int fault(long linear, int access) {
    try {
      cpu.mmu.probe(linear, 1, access);
      return -1;
    } catch (CpuFault e) {
      assertThat(cpu.faultVector).isEqualTo(Cpu.PF);
      assertThat(cpu.cr2).isEqualTo(linear);
      return cpu.faultErrorCode;
    }
  }

  /** SDM volume 3, 4.6.1, in its order. */
  private static boolean allowed(
      int access, boolean user, boolean w, boolean u, boolean nx, long cr4, long cr0, boolean ac) {
    if (user) {
      return u && (access == Mmu.READ || (access == Mmu.WRITE ? w : !nx));
    }
    return switch (access) {
      case Mmu.READ -> !u || (cr4 & CR4_SMAP) == 0 || ac;
      case Mmu.WRITE -> (!u || (cr4 & CR4_SMAP) == 0 || ac) && (w || (cr0 & CR0_WP) == 0);
      default -> !nx && (!u || (cr4 & CR4_SMEP) == 0);
    };
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void rightsOfEveryCombination(Shape shape) {
    long linear = linearOf(shape);
    boolean hasNx = shape.entryBytes == 8;
    for (int control = 0; control < 64; control++) {
      long cr4 = ((control & 1) != 0 ? CR4_SMEP : 0) | ((control & 2) != 0 ? CR4_SMAP : 0);
      long cr0 = (control & 4) != 0 ? CR0_WP : 0;
      boolean nxEnabled = hasNx && (control & 8) != 0;
      boolean user = (control & 16) != 0;
      boolean ac = (control & 32) != 0;
      enter(shape, cr4, cr0, nxEnabled);
      cpu.cpl = user ? 3 : 0;
      cpu.systemFlags = ac ? 2 | Flags.AC : 2;
      cpu.modeChanged();
      for (int rights = 0; rights < 64; rights++) {
        long upper = (rights & 1) * W | (rights >> 1 & 1) * U;
        long leaf = (rights >> 2 & 1) * W | (rights >> 3 & 1) * U;
        if (nxEnabled) {
          upper |= (rights & 16) != 0 ? NX : 0;
          leaf |= (rights & 32) != 0 ? NX : 0;
        }
        boolean hasUpper = shape.levels > (shape.isPae() ? 2 : 1);
        long both = hasUpper ? upper & leaf : leaf;
        boolean nx = ((hasUpper ? upper | leaf : leaf) & NX) != 0;
        for (int access : ACCESSES) {
          map(shape, linear, upper, leaf);
          cpu.mmu.flushPage(linear);
          int error = fault(linear, access);
          boolean expected =
              allowed(access, user, (both & W) != 0, (both & U) != 0, nx, cr4, cr0, ac);
          int code =
              ERROR_P
                  | (access == Mmu.WRITE ? ERROR_W : 0)
                  | (user ? ERROR_U : 0)
                  | (access == Mmu.FETCH && (nxEnabled || (cr4 & CR4_SMEP) != 0) ? ERROR_I : 0);
          assertThat(error)
              .as("control %x upper %x leaf %x access %d", control, upper, leaf, access)
              .isEqualTo(expected ? -1 : code);
          checkAccessedAndDirty(shape, linear, expected, access);
        }
      }
    }
  }

  private void checkAccessedAndDirty(Shape shape, long linear, boolean allowed, int access) {
    for (int step = 0; step < shape.levels; step++) {
      long entry = get(shape, entryAddress(shape, linear, step));
      boolean last = step == shape.levels - 1;
      if (allowed && shape.hasRights(step)) {
        assertThat(entry & A).as("accessed, step %d", step).isNotZero();
      }
      if (last) {
        boolean dirty = allowed && access == Mmu.WRITE;
        assertThat((entry & D) != 0).as("dirty").isEqualTo(dirty);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void translatesToThePageAndSeesChangesAfterInvlpg(Shape shape) {
    long linear = linearOf(shape) & ~0x1FFL;
    enter(shape, 0, 0, false);
    map(shape, linear, W, W);
    long to = physical(shape, linear);
    if (to < TestHost.MEMORY_BYTES) {
      cpu.mmu.write32(linear, 0x1234_5678);
      assertThat(host.memory().get(ValueLayout.JAVA_INT, to)).isEqualTo(0x1234_5678);
      assertThat(cpu.mmu.read32(linear)).isEqualTo(0x1234_5678);
    } else { // a page of 1 GiB reaches beyond the test's memory
      assertThat(cpu.mmu.translate(linear, Mmu.READ)).isEqualTo(to);
    }
    put(shape, entryAddress(shape, linear, shape.levels - 1), 0);
    cpu.mmu.flushPage(linear);
    assertThat(fault(linear, Mmu.READ)).isZero();
    assertThat(fault(linear, Mmu.WRITE)).isEqualTo(ERROR_W);
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void absentEntriesFaultAtEveryLevelWithoutTheirPresentBit(Shape shape) {
    long linear = linearOf(shape);
    for (int step = 0; step < shape.levels; step++) {
      enter(shape, CR4_SMEP, 0, false);
      map(shape, linear, W | U, W | U);
      long at = entryAddress(shape, linear, step);
      put(shape, at, -2L); // every bit but P: nothing else counts
      assertThat(fault(linear, Mmu.READ)).as("step %d", step).isZero();
      assertThat(fault(linear, Mmu.FETCH)).as("step %d", step).isEqualTo(ERROR_I);
      cpu.cpl = 3;
      cpu.modeChanged();
      assertThat(fault(linear, Mmu.WRITE)).as("step %d", step).isEqualTo(ERROR_W | ERROR_U);
      cpu.cpl = 0;
      cpu.modeChanged();
    }
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void reservedBitsFaultAtEveryLevel(Shape shape) {
    long linear = linearOf(shape);
    for (int step = 0; step < shape.levels; step++) {
      boolean last = step == shape.levels - 1;
      for (int bit = 0; bit < 8 * shape.entryBytes; bit++) {
        if (!last && bit == 7 && !(shape.isLong() && step == 0) && shape.hasRights(step)) {
          continue; // makes it a large page
        }
        enter(shape, 0, 0, false);
        map(shape, linear, W | U, W | U);
        long at = entryAddress(shape, linear, step);
        long entry = get(shape, at);
        boolean address = bit >= 12 && bit < 40 && !reserved(shape, step, last, bit);
        if (address || (entry >>> bit & 1) != 0) {
          continue;
        }
        put(shape, at, entry | 1L << bit);
        int expected = reserved(shape, step, last, bit) ? ERROR_P | ERROR_RSVD : -1;
        assertThat(fault(linear, Mmu.READ)).as("step %d bit %d", step, bit).isEqualTo(expected);
      }
    }
  }

  /** Tables 4-4 to 4-20, with 40 bits of physical address and EFER.NXE clear. */
  private static boolean reserved(Shape shape, int step, boolean last, int bit) {
    if (shape.entryBytes == 4) {
      return shape.isLarge() && bit == 21; // bits 13 to 20 are address bits 32 to 39
    }
    boolean tooHigh = bit >= 40 && bit <= (shape.isPae() ? 62 : 51) || bit == 63;
    boolean underLarge = last && shape.isLarge() && bit >= 13 && bit < shape.pageBits;
    boolean pointers = shape.isPae() && step == 0 && (bit == 1 || bit == 2 || bit >= 5 && bit <= 8);
    boolean noSuchPage = shape.isLong() && step == 0 && bit == 7;
    return tooHigh || underLarge || pointers || noSuchPage;
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void anAccessAcrossPagesFaultsForTheSecondAndWritesNothing(Shape shape) {
    if (shape.isLarge()) {
      return; // the page's end is beyond the test's memory
    }
    long linear = (linearOf(shape) & ~0xFFFL) + 0xFFD;
    enter(shape, 0, 0, false);
    map(shape, linear, W, W);
    host.memory().set(ValueLayout.JAVA_BYTE, 0x5FFD, (byte) 0x11);
    try {
      cpu.mmu.write64(linear, -1);
      fail("no fault at %x", linear);
    } catch (CpuFault e) {
      assertThat(cpu.cr2).isEqualTo((linear & ~0xFFFL) + 0x1000);
      assertThat(cpu.faultErrorCode).isEqualTo(ERROR_W);
    }
    assertThat(host.memory().get(ValueLayout.JAVA_BYTE, 0x5FFD)).isEqualTo((byte) 0x11);
  }

  @ParameterizedTest
  @EnumSource(names = {"LONG_4K"})
  void addressesThatAreNotCanonicalAreGeneralProtection(Shape shape) {
    enter(shape, 0, 0, false);
    for (long linear : new long[] {1L << 47, -1L << 48, 0x1234_0000_0000_0000L}) {
      try {
        cpu.mmu.read8(linear);
        fail("no fault at %x", linear);
      } catch (CpuFault e) {
        assertThat(cpu.faultVector).isEqualTo(Cpu.GP);
        assertThat(cpu.faultErrorCode).isZero();
      }
    }
  }
}
