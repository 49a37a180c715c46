package io.vmm4j.software.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.software.oracle.Duel;
import io.vmm4j.software.oracle.NativeOracle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** BMI1, BMI2, LZCNT, ADX and MOVBE against the host, where it has them. */
class BitManipulationOracleTest {
  private static final int[] SIZES = {4, 8};
  private static final int CASES = 3000;
  private static final int NONE = 0;
  private static final int P66 = 1;
  private static final int F3 = 2;
  private static final int F2 = 3;

  private final Values values = new Values(12);
  private Duel duel;

  @BeforeEach
  void open() {
    duel = Duel.open();
  }

  @AfterEach
  void close() {
    duel.close();
  }

  private static void assumeHostHas(String flag) {
    boolean has = NativeOracle.hostHas(flag);
    if (!has) {
      System.out.println("SKIPPED: no comparison of " + flag + ": the host has none");
    }
    assumeTrue(has);
  }

  /** VEX of three bytes, with RAX as ModRM.reg, RCX as vvvv and RDX or [RBX + 8] as ModRM.rm. */
  private static int[] vex(int map, int prefix, int opcode, int reg, int size, boolean memory) {
    int second = (size == 8 ? 0x80 : 0) | (~Cpu.RCX & 15) << 3 | prefix;
    return memory
        ? new int[] {0xC4, 0xE0 | map, second, opcode, 0x43 | reg << 3, 8}
        : new int[] {0xC4, 0xE0 | map, second, opcode, 0xC2 | reg << 3};
  }

  private void compare(int undefined) {
    for (int i = 0; i < CASES; i++) {
      long operand = values.next();
      duel.gpr(Cpu.RAX, values.next());
      duel.gpr(Cpu.RCX, i % 3 == 0 ? values.below(80) | values.below(80) << 8 : values.next());
      duel.gpr(Cpu.RDX, operand);
      duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
      duel.memory(8, operand);
      duel.flags(values.flags());
      duel.run(undefined, 24);
    }
  }

  private void vexForms(int map, int prefix, int opcode, int reg, int undefined) {
    for (int size : SIZES) {
      for (boolean memory : new boolean[] {false, true}) {
        duel.code(vex(map, prefix, opcode, reg, size, memory));
        compare(undefined);
      }
    }
    duel.settle();
  }

  @Test
  void andNot() {
    assumeHostHas("bmi1");
    vexForms(2, NONE, 0xF2, Cpu.RAX, UndefinedFlags.BIT_MANIPULATION);
  }

  @Test
  void lowestSetBit() {
    assumeHostHas("bmi1");
    for (int extension = 1; extension <= 3; extension++) {
      vexForms(2, NONE, 0xF3, extension, UndefinedFlags.BIT_MANIPULATION);
    }
  }

  @Test
  void bitFieldExtract() {
    assumeHostHas("bmi1");
    vexForms(2, NONE, 0xF7, Cpu.RAX, UndefinedFlags.BIT_EXTRACT);
  }

  @Test
  void zeroHighBits() {
    assumeHostHas("bmi2");
    vexForms(2, NONE, 0xF5, Cpu.RAX, UndefinedFlags.BIT_MANIPULATION);
  }

  @Test
  void depositAndExtract() {
    assumeHostHas("bmi2");
    vexForms(2, F2, 0xF5, Cpu.RAX, 0);
    vexForms(2, F3, 0xF5, Cpu.RAX, 0);
  }

  @Test
  void multiplyWithoutFlags() {
    assumeHostHas("bmi2");
    vexForms(2, F2, 0xF6, Cpu.RAX, 0);
    vexForms(2, F2, 0xF6, Cpu.RCX, 0); // both halves to one register
  }

  @Test
  void shiftsWithoutFlags() {
    assumeHostHas("bmi2");
    vexForms(2, P66, 0xF7, Cpu.RAX, 0);
    vexForms(2, F3, 0xF7, Cpu.RAX, 0);
    vexForms(2, F2, 0xF7, Cpu.RAX, 0);
  }

  @Test
  void rotateWithoutFlags() {
    assumeHostHas("bmi2");
    for (int count = 0; count < 256; count += 3) {
      for (int size : SIZES) {
        int second = (size == 8 ? 0x80 : 0) | 0x78 | F2;
        duel.code(0xC4, 0xE3, second, 0xF0, 0xC2, count);
        for (int i = 0; i < 50; i++) {
          duel.gpr(Cpu.RDX, values.next());
          duel.flags(values.flags());
          duel.run(0);
        }
      }
    }
    duel.settle();
  }

  @Test
  void carryChains() {
    assumeHostHas("adx");
    for (int prefix : new int[] {0x66, 0xF3}) {
      for (int size : SIZES) {
        int rex = size == 8 ? 0x48 : 0x40;
        duel.code(prefix, rex, 0x0F, 0x38, 0xF6, 0xC2);
        compare(0);
        duel.code(prefix, rex, 0x0F, 0x38, 0xF6, 0x43, 8);
        compare(0);
      }
    }
    duel.settle();
  }

  @Test
  void bigEndianMoves() {
    assumeHostHas("movbe");
    for (int opcode : new int[] {0xF0, 0xF1}) {
      duel.code(0x0F, 0x38, opcode, 0x43, 8);
      compare(0);
      duel.code(0x66, 0x0F, 0x38, opcode, 0x43, 8);
      compare(0);
      duel.code(0x48, 0x0F, 0x38, opcode, 0x43, 8);
      compare(0);
    }
    duel.settle();
  }

  @Test
  void trailingZeros() {
    assumeHostHas("bmi1");
    counts(0xBC);
  }

  @Test
  void leadingZeros() {
    assumeTrue(NativeOracle.hostHasLzcnt(), "the host takes LZCNT for BSR");
    counts(0xBD);
  }

  private void counts(int opcode) {
    duel.code(0xF3, 0x0F, opcode, 0xC2);
    compare(UndefinedFlags.ZERO_COUNT);
    duel.code(0x66, 0xF3, 0x0F, opcode, 0x43, 8);
    compare(UndefinedFlags.ZERO_COUNT);
    duel.code(0xF3, 0x48, 0x0F, opcode, 0xC2);
    compare(UndefinedFlags.ZERO_COUNT);
    duel.settle();
  }
}
