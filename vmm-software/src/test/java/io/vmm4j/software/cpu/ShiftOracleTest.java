package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.memory;
import static io.vmm4j.software.cpu.Code.registers;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD and SHRD against the host. */
class ShiftOracleTest {
  private static final int[] SIZES = {1, 2, 4, 8};

  private final Values values = new Values(2);
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

  @Test
  void everyByteByEveryCountWithAndWithoutCarry() {
    for (int extension = 0; extension < 8; extension++) {
      duel.code(registers(1, 0xD2, extension, Cpu.RDX));
      for (int count = 0; count < 256; count = count < 66 ? count + 1 : count + 27) {
        duel.gpr(Cpu.RCX, 0x700L | count);
        for (int a = 0; a < 256; a++) {
          int others = Values.flags(a * 3) & ~Flags.CF;
          duel.gpr(Cpu.RDX, 0x1100L | a);
          duel.flags(others);
          duel.run(UndefinedFlags.shift(extension, count, 1));
          duel.flags(others | Flags.CF);
          duel.run(UndefinedFlags.shift(extension, count, 1));
        }
      }
    }
    duel.settle();
  }

  @Test
  void everyFormAndSizeByEveryCount() {
    for (int size : SIZES) {
      int wide = size == 1 ? 0 : 1;
      for (int extension = 0; extension < 8; extension++) {
        edges(registers(size, 0xD0 | wide, extension, Cpu.RDX), extension, 1, size);
        edges(memory(size, 0xD0 | wide, extension, 8), extension, 1, size);
        for (int count = 0; count < 68; count++) {
          int[] immediate = with(registers(size, 0xC0 | wide, extension, Cpu.RDX), 1, count);
          edges(immediate, extension, count, size);
          edges(with(memory(size, 0xC0 | wide, extension, 8), 1, count), extension, count, size);
          edges(registers(size, 0xD2 | wide, extension, 10), extension, count, size);
          edges(memory(size, 0xD2 | wide, extension, 8), extension, count, size);
        }
      }
    }
    duel.settle();
  }

  private void edges(int[] code, int extension, int count, int size) {
    duel.code(code);
    for (long a : Values.edges()) {
      operands(a, values.next(), count, UndefinedFlags.shift(extension, count, size));
    }
  }

  private void operands(long a, long b, int count, int undefined) {
    duel.gpr(Cpu.RDX, a);
    duel.gpr(10, a);
    duel.gpr(Cpu.RAX, b);
    duel.gpr(Cpu.RCX, b & ~0xFF | count);
    duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
    duel.memory(8, a);
    duel.flags(values.flags());
    duel.run(undefined, 24);
  }

  @Test
  void doubleShiftsBySizeAndCount() {
    for (int size : new int[] {2, 4, 8}) {
      for (int opcode : new int[] {0x1A4, 0x1AC}) {
        for (int count = 0; count < 68; count++) {
          if ((count & 31) > 16 && size == 2) {
            continue; // the result is undefined
          }
          int undefined = UndefinedFlags.doubleShift(count, size);
          doubleShift(with(registers(size, opcode, Cpu.RAX, Cpu.RDX), 1, count), count, undefined);
          doubleShift(with(memory(size, opcode, Cpu.RAX, 8), 1, count), count, undefined);
          doubleShift(registers(size, opcode + 1, Cpu.RAX, 10), count, undefined);
          doubleShift(memory(size, opcode + 1, Cpu.RAX, 8), count, undefined);
        }
      }
    }
    duel.settle();
  }

  private void doubleShift(int[] code, int count, int undefined) {
    duel.code(code);
    for (long a : Values.edges()) {
      operands(a, values.next(), count, undefined);
      operands(values.next(), a, count, undefined);
    }
  }
}
