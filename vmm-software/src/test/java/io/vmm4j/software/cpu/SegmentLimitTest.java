package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Limits and types of segments: Intel SDM volume 3, 3.4.5.1, 5.3 and 5.5. */
class SegmentLimitTest {
  private final BareCpu bare = BareCpu.withCodeSize(4);
  private final Cpu cpu = bare.cpu;

  private int access(int segment, long offset, int size, boolean write) {
    try {
      long linear = cpu.linear(segment, offset, size, write);
      assertThat(linear).isEqualTo(cpu.seg[segment].base + offset & 0xFFFF_FFFFL);
      return -1;
    } catch (CpuFault e) {
      assertThat(cpu.faultHasErrorCode).isTrue();
      assertThat(cpu.faultErrorCode).isZero();
      return cpu.faultVector;
    }
  }

  /** Each byte by itself: the segment's bytes are those up to the limit, or those above it. */
  private static boolean within(boolean expandDown, boolean big, long limit, long at, int size) {
    for (long b = at; b < at + size; b++) {
      boolean in = expandDown ? b > limit && b <= (big ? 0xFFFF_FFFFL : 0xFFFF) : b <= limit;
      if (!in) {
        return false;
      }
    }
    return true;
  }

  @Test
  void everyTypeAtTheEdgesOfItsLimit() {
    long[] limits = {0, 1, 7, 0xFFE, 0xFFFF, 0x1_2FFF, 0xFFFF_EFFFL, 0xFFFF_FFFFL};
    for (int type = 0; type < 16; type++) {
      boolean code = (type & 8) != 0;
      boolean readable = !code || (type & 2) != 0;
      boolean writable = !code && (type & 2) != 0;
      boolean expandDown = !code && (type & 4) != 0;
      for (boolean big : new boolean[] {false, true}) {
        for (long limit : limits) {
          for (int segment : new int[] {Cpu.DS, Cpu.SS}) {
            int attributes = 0x90 | type | (big ? 0x4000 : 0);
            cpu.seg[segment].set(16, 0x1_0000, limit, attributes);
            for (int size : new int[] {1, 2, 4, 8, 10}) {
              for (long offset = limit - 12; offset < limit + 12; offset++) {
                if (offset < 0 || offset > 0xFFFF_FFFFL) {
                  continue;
                }
                boolean in = within(expandDown, big, limit, offset, size);
                int fault = segment == Cpu.SS ? Cpu.SS_FAULT : Cpu.GP;
                assertThat(access(segment, offset, size, false))
                    .as("read type %x limit %x offset %x size %d", type, limit, offset, size)
                    .isEqualTo(in && readable ? -1 : fault);
                assertThat(access(segment, offset, size, true))
                    .as("write type %x limit %x offset %x size %d", type, limit, offset, size)
                    .isEqualTo(in && writable ? -1 : fault);
              }
            }
          }
        }
      }
    }
  }

  @Test
  void codeEndsWithItsSegment() {
    cpu.seg[Cpu.CS].set(8, 0, BareCpu.CODE + 3, 0x409B);
    // INC EAX; INC EAX; MOV EAX, imm32, of which the limit allows two bytes
    cpu.gpr[Cpu.RAX] = 0;

    assertThat(bare.run(0x40, 0x40, 0xB8, 1, 0, 0, 0)).isEqualTo(Cpu.GP);
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(2);
    assertThat(bare.pushed(0)).isZero();
    assertThat(bare.pushed(1)).isEqualTo(BareCpu.CODE + 2);
  }

  @Test
  void jumpBeyondTheLimitFaultsAtTheJump() {
    cpu.seg[Cpu.CS].set(8, 0, 0xFFFF, 0x409B);

    assertThat(bare.run(0xE9, 0, 0, 1, 0)).isEqualTo(Cpu.GP);
    assertThat(bare.pushed(1)).isEqualTo(BareCpu.CODE);
  }

  @Test
  void repeatedStoresDoWhatTheLimitAllowsBeforeTheyFault() {
    bare.segment(Cpu.ES, 0x10_0000, 0x4FF);
    cpu.gpr[Cpu.RAX] = 0x77;
    cpu.gpr[Cpu.RDI] = 0x400;
    cpu.gpr[Cpu.RCX] = 0x200;

    assertThat(bare.run(0xF3, 0xAA)).isEqualTo(Cpu.GP);
    assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x100);
    assertThat(cpu.gpr[Cpu.RDI]).isEqualTo(0x500);
    assertThat(bare.get8(0x10_04FF)).isEqualTo(0x77);
    assertThat(bare.get8(0x10_0500)).isZero();
    assertThat(bare.pushed(1)).isEqualTo(BareCpu.CODE);
  }

  @Test
  void repeatedMovesDoWhatTheLimitOfTheSourceAllowsBeforeTheyFault() {
    bare.segment(Cpu.DS, 0x10_0000, 0x4FF);
    bare.put8(0x10_04FF, 0x66);
    cpu.gpr[Cpu.RSI] = 0x480;
    cpu.gpr[Cpu.RDI] = 0x20_0000;
    cpu.gpr[Cpu.RCX] = 0x200;

    assertThat(bare.run(0xF3, 0xA4)).isEqualTo(Cpu.GP);
    assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x200 - 0x80);
    assertThat(cpu.gpr[Cpu.RSI]).isEqualTo(0x500);
    assertThat(bare.get8(0x20_007F)).isEqualTo(0x66);
  }

  @Test
  void a16BitIndexWrapsWithinItsSegment() {
    cpu.gpr[Cpu.RAX] = 0x55;
    cpu.gpr[Cpu.RDI] = 0x1234_FFFEL;
    cpu.gpr[Cpu.RCX] = 0x5678_0004L;
    bare.segment(Cpu.ES, 0x10_0000, 0xFFFF);

    assertThat(bare.run(0x67, 0xF3, 0xAA)).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RDI]).isEqualTo(0x1234_0002L);
    assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x5678_0000L);
    assertThat(bare.get8(0x10_FFFE)).isEqualTo(0x55);
    assertThat(bare.get8(0x10_0001)).isEqualTo(0x55);
    assertThat(bare.get8(0x11_0000)).isZero();
  }

  @Test
  void a16BitStackPointerWrapsAndKeepsItsUpperHalf() {
    cpu.seg[Cpu.SS].set(16, 0x10_0000, 0xFFFF, 0x0093);
    cpu.modeChanged();
    bare.code(0x68, 0x44, 0x33, 0x22, 0x11); // PUSH imm32
    cpu.gpr[Cpu.RSP] = 0xABCD_0000L;

    assertThat(bare.run()).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0xABCD_FFFCL);
    assertThat(bare.get32(0x10_FFFC)).isEqualTo(0x1122_3344);
  }
}
