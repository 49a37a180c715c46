package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.memory;
import static io.vmm4j.software.cpu.Code.plain;
import static io.vmm4j.software.cpu.Code.registers;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import io.vmm4j.software.oracle.NativeOracle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** BT, BTS, BTR, BTC, BSF, BSR, POPCNT and BSWAP against the host. */
class BitOracleTest {
  private static final int[] SIZES = {2, 4, 8};

  /** Scratch bytes on either side of the operand that a bit index may reach. */
  private static final int REACH = 2048;

  private final Values values = new Values(4);
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
  void bitsOfRegistersByRegisterAndByImmediate() {
    for (int size : SIZES) {
      for (int operation = 0; operation < 4; operation++) {
        duel.code(registers(size, 0x1A3 | operation << 3, Cpu.RCX, Cpu.RDX));
        for (int index = -70; index < 140; index++) {
          bit(values.next(), index);
        }
        for (int index = 0; index < 256; index++) {
          duel.code(with(registers(size, 0x1BA, 4 | operation, Cpu.RDX), 1, index));
          bit(values.next(), 0);
          duel.code(with(memory(size, 0x1BA, 4 | operation, 8), 1, index));
          bit(values.next(), 0);
        }
      }
    }
    duel.settle();
  }

  private void bit(long value, long index) {
    duel.gpr(Cpu.RDX, value);
    duel.gpr(Cpu.RCX, index);
    duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
    duel.memory(8, value);
    duel.flags(values.flags());
    duel.run(UndefinedFlags.BIT_TEST, 24);
  }

  @Test
  void bitStringsReachBeyondTheirOperand() {
    for (int at = 0; at < 2 * REACH; at += 8) {
      duel.memory(at, values.next());
    }
    for (int size : SIZES) {
      for (int operation = 0; operation < 4; operation++) {
        duel.code(memory(size, 0x1A3 | operation << 3, Cpu.RCX, REACH));
        duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
        for (int i = 0; i < 600; i++) {
          int reach = (REACH - 8) * 8;
          int index = values.below(2 * reach) - reach;
          // Above the operand size the index register doesn't count.
          long above = size == 8 ? 0 : values.next() << 8 * size;
          duel.gpr(Cpu.RCX, size == 8 ? index : above | index & Alu.mask(size));
          duel.flags(values.flags());
          duel.run(UndefinedFlags.BIT_TEST, 2 * REACH);
        }
      }
    }
    duel.settle();
  }

  @Test
  void scansAndCounts() {
    for (int size : SIZES) {
      scan(registers(size, 0x1BC, Cpu.RDX, Cpu.RCX), size, UndefinedFlags.BIT_SCAN);
      scan(registers(size, 0x1BD, Cpu.RDX, Cpu.RCX), size, UndefinedFlags.BIT_SCAN);
      scan(memory(size, 0x1BC, 13, 8), size, UndefinedFlags.BIT_SCAN);
      scan(memory(size, 0x1BD, 13, 8), size, UndefinedFlags.BIT_SCAN);
      if (NativeOracle.hostHas("popcnt")) {
        scan(populationCount(registers(size, 0x1B8, Cpu.RDX, Cpu.RCX), size), size, 0);
        scan(populationCount(memory(size, 0x1B8, 13, 8), size), size, 0);
      }
    }
    duel.settle();
  }

  /** With F3, which goes after 66 and before REX. */
  private static int[] populationCount(int[] code, int size) {
    int at = size == 2 ? 1 : 0;
    int[] prefixed = new int[code.length + 1];
    System.arraycopy(code, 0, prefixed, 0, at);
    prefixed[at] = 0xF3;
    System.arraycopy(code, at, prefixed, at + 1, code.length - at);
    return prefixed;
  }

  private void scan(int[] code, int size, int undefined) {
    duel.code(code);
    for (int bit = 0; bit < 64; bit++) {
      scanned(1L << bit, size, undefined);
      scanned(-1L << bit, size, undefined);
      scanned(-1L >>> bit, size, undefined);
    }
    for (int i = 0; i < 500; i++) {
      scanned(values.next(), size, undefined);
    }
  }

  private void scanned(long value, int size, int undefined) {
    if ((value & Alu.mask(size)) == 0 && undefined != 0) {
      return; // BSF and BSR of zero leave the destination undefined
    }
    duel.gpr(Cpu.RCX, value);
    duel.gpr(Cpu.RDX, values.next());
    duel.gpr(13, values.next());
    duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
    duel.memory(8, value);
    duel.flags(values.flags());
    duel.run(undefined, 16);
  }

  @Test
  void swapsOfBytes() {
    for (int size : new int[] {4, 8}) {
      duel.code(plain(size, 0x1C9));
      for (int i = 0; i < 500; i++) {
        duel.gpr(Cpu.RCX, values.next());
        duel.flags(values.flags());
        duel.run(0);
      }
    }
    duel.settle();
  }
}
