package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * AAA, AAS, DAA, DAS, AAM, AAD and BOUND, which 64-bit code does not have, for every operand
 * against the "Operation" sections of Intel SDM volume 2. Flags that they leave undefined are not
 * looked at.
 */
class DecimalTest {
  private final BareCpu bare = BareCpu.withCodeSize(4);

  /** What an instruction leaves: AX, and CF and AF. */
  private record Adjusted(int ax, boolean carry, boolean half) {}

  private Adjusted run(int ax, boolean carry, boolean half) {
    bare.cpu.gpr[Cpu.RAX] = 0x1234_0000L | ax;
    bare.cpu.setArithmeticFlags((carry ? Flags.CF : 0) | (half ? Flags.AF : 0));
    assertThat(bare.run()).isEqualTo(-1);
    int flags = bare.cpu.eflags();
    assertThat(bare.cpu.gpr[Cpu.RAX] >>> 16).isEqualTo(0x1234);
    return new Adjusted(
        (int) bare.cpu.gpr[Cpu.RAX] & 0xFFFF, (flags & Flags.CF) != 0, (flags & Flags.AF) != 0);
  }

  private void signZeroParity() {
    int flags = bare.cpu.eflags();
    int al = (int) bare.cpu.gpr[Cpu.RAX] & 0xFF;
    assertThat((flags & Flags.ZF) != 0).isEqualTo(al == 0);
    assertThat((flags & Flags.SF) != 0).isEqualTo(al >= 0x80);
    assertThat((flags & Flags.PF) != 0).isEqualTo(Integer.bitCount(al) % 2 == 0);
  }

  @Test
  void asciiAdjustments() {
    for (int opcode : new int[] {0x37, 0x3F}) {
      bare.code(opcode);
      for (int ax = 0; ax < 0x1_0000; ax++) {
        boolean half = (ax >> 9 & 1) != 0;
        boolean adjust = (ax & 0xF) > 9 || half;
        int moved = !adjust ? ax : opcode == 0x37 ? ax + 0x106 : ax - 6 - 0x100;
        assertThat(run(ax, (ax & 0x400) != 0, half))
            .isEqualTo(new Adjusted(moved & 0xFF0F, adjust, adjust));
      }
    }
  }

  @Test
  void decimalAdjustmentAfterAddition() {
    bare.code(0x27);
    for (int i = 0; i < 0x400; i++) {
      int old = i & 0xFF;
      boolean oldCarry = (i & 0x100) != 0;
      boolean half = (old & 0xF) > 9 || (i & 0x200) != 0;
      boolean carry = old > 0x99 || oldCarry;
      int al = old + (half ? 6 : 0) + (carry ? 0x60 : 0);
      assertThat(run(0x5500 | old, oldCarry, (i & 0x200) != 0))
          .isEqualTo(new Adjusted(0x5500 | al & 0xFF, carry, half));
      signZeroParity();
    }
  }

  @Test
  void decimalAdjustmentAfterSubtraction() {
    bare.code(0x2F);
    for (int i = 0; i < 0x400; i++) {
      int old = i & 0xFF;
      boolean oldCarry = (i & 0x100) != 0;
      int al = old;
      boolean carry = false;
      boolean half = (old & 0xF) > 9 || (i & 0x200) != 0;
      if (half) {
        carry = oldCarry || al < 6;
        al -= 6;
      }
      if (old > 0x99 || oldCarry) {
        al -= 0x60;
        carry = true;
      }
      assertThat(run(0x5500 | old, oldCarry, (i & 0x200) != 0))
          .isEqualTo(new Adjusted(0x5500 | al & 0xFF, carry, half));
      signZeroParity();
    }
  }

  @Test
  void multiplicationAndDivisionByAnyBase() {
    for (int base = 0; base < 256; base++) {
      for (int i = 0; i < 256; i++) {
        int ax = i * 0x0B01 & 0xFF00 | i;
        bare.cpu.gpr[Cpu.RSP] = BareCpu.STACK;
        bare.cpu.gpr[Cpu.RAX] = ax;
        bare.code(0xD4, base);
        if (base == 0) {
          assertThat(bare.run()).isEqualTo(Cpu.DE);
        } else {
          assertThat(bare.run()).isEqualTo(-1);
          assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo(i / base << 8 | i % base);
          signZeroParity();
        }
        bare.cpu.gpr[Cpu.RAX] = ax;
        bare.code(0xD5, base);
        assertThat(bare.run()).isEqualTo(-1);
        assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo(i + (ax >> 8) * base & 0xFF);
        signZeroParity();
      }
    }
  }

  @Test
  void boundsAreSignedAndInclusive() {
    bare.put64(0x9000, -5L & 0xFFFF_FFFFL | 7L << 32);
    for (int index = -20; index < 20; index++) {
      bare.cpu.gpr[Cpu.RCX] = index & 0xFFFF_FFFFL;
      int vector = bare.run(0x62, 0x0D, 0x00, 0x90, 0, 0); // BOUND ECX, [0x9000]
      assertThat(vector).as("%d", index).isEqualTo(index < -5 || index > 7 ? Cpu.BR : -1);
    }
    assertThat(bare.run(0x62, 0xC1)).isEqualTo(Cpu.UD);
  }
}
