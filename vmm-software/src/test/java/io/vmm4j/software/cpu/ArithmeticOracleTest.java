package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.memory;
import static io.vmm4j.software.cpu.Code.plain;
import static io.vmm4j.software.cpu.Code.registers;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NEG and NOT against the host. */
class ArithmeticOracleTest {
  private static final int[] SIZES = {1, 2, 4, 8};
  private static final int RANDOM_CASES = 200;

  private final Values values = new Values(1);
  private Duel duel;

  @BeforeEach
  void open() {
    duel = Duel.open();
  }

  @AfterEach
  void close() {
    if (duel != null) {
      duel.close();
    }
  }

  private static int undefined(int operation) {
    return switch (operation) {
      case Alu.AND, Alu.OR, Alu.XOR -> UndefinedFlags.LOGIC;
      default -> 0;
    };
  }

  @Test
  void everyPairOfBytesWithAndWithoutCarry() {
    for (int operation = 0; operation < 8; operation++) {
      duel.code(registers(1, operation << 3, Cpu.RCX, Cpu.RAX));
      everyPair(undefined(operation));
    }
    duel.code(registers(1, 0x84, Cpu.RCX, Cpu.RAX)); // TEST
    everyPair(UndefinedFlags.LOGIC);
    duel.settle();
  }

  private void everyPair(int undefined) {
    for (int a = 0; a < 256; a++) {
      for (int b = 0; b < 256; b++) {
        // The other flags before differ too, and must not matter.
        int others = Values.flags(a ^ b * 5) & ~Flags.CF;
        duel.gpr(Cpu.RAX, 0x1234_5600L | a);
        duel.gpr(Cpu.RCX, -256L | b);
        duel.flags(others);
        duel.run(undefined);
        duel.flags(others | Flags.CF);
        duel.run(undefined);
      }
    }
  }

  @Test
  void everyByteAloneWithEveryFlag() {
    for (int[] code :
        new int[][] {
          registers(1, 0xFE, 0, Cpu.RDX), // INC
          registers(1, 0xFE, 1, Cpu.RDX), // DEC
          registers(1, 0xF6, 2, Cpu.RDX), // NOT
          registers(1, 0xF6, 3, Cpu.RDX), // NEG
        }) {
      duel.code(code);
      for (int a = 0; a < 256; a++) {
        for (int flags = 0; flags < 64; flags++) {
          duel.gpr(Cpu.RDX, 0xABCD00L | a);
          duel.flags(Values.flags(flags));
          duel.run(0);
        }
      }
    }
    duel.settle();
  }

  @Test
  void everyFormAndSizeOnEdgesAndAtRandom() {
    for (int size : SIZES) {
      int wide = size == 1 ? 0 : 1;
      for (int operation = 0; operation < 8; operation++) {
        int opcode = operation << 3 | wide;
        int undefined = undefined(operation);
        operands(registers(size, opcode, Cpu.RCX, Cpu.RDX), undefined);
        operands(registers(size, opcode | 2, Cpu.RCX, Cpu.RDX), undefined);
        operands(registers(size, opcode, 9, 14), undefined);
        operands(registers(size, opcode, Cpu.RSP, Cpu.RDX), undefined); // AH as a byte
        operands(registers(size, opcode, Cpu.RDX, Cpu.RDX), undefined);
        operands(memory(size, opcode, Cpu.RCX, 16), undefined);
        operands(memory(size, opcode | 2, Cpu.RCX, 16), undefined);
        immediates(plain(size, operation << 3 | 4 | wide), size, undefined);
        immediates(registers(size, 0x80 | wide, operation, Cpu.RDX), size, undefined);
        immediates(memory(size, 0x80 | wide, operation, 16), size, undefined);
        if (size > 1) {
          immediates(registers(size, 0x83, operation, Cpu.RDX), 1, undefined);
          immediates(memory(size, 0x83, operation, 16), 1, undefined);
        }
      }
      operands(registers(size, 0x84 | wide, Cpu.RCX, Cpu.RDX), UndefinedFlags.LOGIC);
      operands(memory(size, 0x84 | wide, Cpu.RCX, 16), UndefinedFlags.LOGIC);
      immediates(plain(size, 0xA8 | wide), size, UndefinedFlags.LOGIC);
      immediates(registers(size, 0xF6 | wide, 0, Cpu.RDX), size, UndefinedFlags.LOGIC);
      immediates(registers(size, 0xF6 | wide, 1, Cpu.RDX), size, UndefinedFlags.LOGIC);
      immediates(memory(size, 0xF6 | wide, 0, 16), size, UndefinedFlags.LOGIC);
      for (int extension = 0; extension < 2; extension++) {
        operands(registers(size, 0xFE | wide, extension, Cpu.RDX), 0); // INC, DEC
        operands(memory(size, 0xFE | wide, extension, 16), 0);
        operands(registers(size, 0xF6 | wide, 2 | extension, Cpu.RDX), 0); // NOT, NEG
        operands(memory(size, 0xF6 | wide, 2 | extension, 16), 0);
      }
    }
    duel.settle();
  }

  private void operands(int[] code, int undefined) {
    duel.code(code);
    for (long a : Values.edges()) {
      for (long b : Values.edges()) {
        operands(a, b, undefined);
      }
    }
    for (int i = 0; i < RANDOM_CASES; i++) {
      operands(values.next(), values.next(), undefined);
    }
  }

  private void operands(long a, long b, int undefined) {
    for (int i = 0; i < 16; i++) {
      duel.gpr(i, i == Cpu.RSP ? duel.gpr(i) : (i & 1) == 0 ? a : b);
    }
    duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
    duel.memory(16, a);
    duel.flags(values.flags());
    duel.run(undefined, 32);
  }

  private void immediates(int[] code, int size, int undefined) {
    for (long b : Values.edges()) {
      duel.code(with(code, Math.min(size, 4), b));
      for (long a : Values.edges()) {
        operands(a, a, undefined);
      }
    }
  }
}
