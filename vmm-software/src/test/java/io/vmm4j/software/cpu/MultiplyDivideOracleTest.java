package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.memory;
import static io.vmm4j.software.cpu.Code.registers;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import java.math.BigInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * MUL, IMUL, DIV and IDIV against the host. Whether a division raises #DE is decided by whether its
 * quotient, computed with {@link BigInteger}, fits (SDM volume 2, DIV and IDIV).
 */
class MultiplyDivideOracleTest {
  private static final int[] SIZES = {1, 2, 4, 8};
  private static final int MUL = 4;
  private static final int IMUL = 5;
  private static final int DIV = 6;
  private static final int IDIV = 7;

  private final Values values = new Values(3);
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
  void everyProductOfBytes() {
    for (int extension : new int[] {MUL, IMUL}) {
      duel.code(registers(1, 0xF6, extension, Cpu.RCX));
      for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
          duel.gpr(Cpu.RAX, 0x7700L | a);
          duel.gpr(Cpu.RCX, b);
          duel.run(UndefinedFlags.MULTIPLY);
        }
      }
    }
    duel.settle();
  }

  @Test
  void everyDivisorOfAByte() {
    for (int extension : new int[] {DIV, IDIV}) {
      duel.code(registers(1, 0xF6, extension, Cpu.RCX));
      for (int divisor = 0; divisor < 256; divisor++) {
        // 17 has no factor in common with 65536: other dividends for each divisor.
        for (int dividend = divisor % 17; dividend < 0x1_0000; dividend += 17) {
          divide(extension, dividend, 0, divisor, 1);
        }
      }
    }
    duel.settle();
  }

  @Test
  void productsOfEverySizeAndForm() {
    for (int size : SIZES) {
      int opcode = size == 1 ? 0xF6 : 0xF7;
      for (int extension : new int[] {MUL, IMUL}) {
        multiply(registers(size, opcode, extension, Cpu.RCX));
        multiply(memory(size, opcode, extension, 8));
      }
      if (size > 1) {
        multiply(registers(size, 0x1AF, Cpu.RDX, Cpu.RCX));
        multiply(memory(size, 0x1AF, 11, 8));
        for (long immediate : Values.edges()) {
          int[] three = registers(size, 0x69, Cpu.RDX, Cpu.RCX);
          multiply(with(three, Math.min(size, 4), immediate));
          multiply(with(registers(size, 0x6B, Cpu.RDX, Cpu.RCX), 1, immediate));
          multiply(with(memory(size, 0x6B, Cpu.RDX, 8), 1, immediate));
        }
      }
    }
    duel.settle();
  }

  private void multiply(int[] code) {
    duel.code(code);
    for (long a : Values.edges()) {
      for (long b : Values.edges()) {
        duel.gpr(Cpu.RAX, a);
        duel.gpr(Cpu.RDX, a);
        duel.gpr(11, a);
        duel.gpr(Cpu.RCX, b);
        duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
        duel.memory(8, b);
        duel.flags(values.flags());
        duel.run(UndefinedFlags.MULTIPLY, 16);
      }
    }
  }

  @Test
  void quotientsOfEverySizeAndForm() {
    for (int size : SIZES) {
      int opcode = size == 1 ? 0xF6 : 0xF7;
      for (int extension : new int[] {DIV, IDIV}) {
        quotients(registers(size, opcode, extension, Cpu.RCX), extension, size);
        quotients(memory(size, opcode, extension, 8), extension, size);
      }
    }
    duel.settle();
  }

  private void quotients(int[] code, int extension, int size) {
    duel.code(code);
    for (long low : Values.edges()) {
      for (long divisor : Values.edges()) {
        divide(extension, low, 0, divisor, size);
        divide(extension, low, -1, divisor, size);
        divide(extension, low, values.next(), divisor, size);
        divide(extension, low, divisor - 1, divisor, size);
        // About the largest magnitude that fits, of either sign.
        divide(extension, low, divisor >> 1, divisor, size);
        divide(extension, low, -(divisor >> 1) - 1, divisor, size);
        divide(extension, low, (divisor >> 1) - 1, divisor, size);
        divide(extension, low, -(divisor >> 1), divisor, size);
      }
    }
    for (int i = 0; i < 3000; i++) {
      divide(extension, values.next(), values.next(), values.next(), size);
    }
  }

  /** For bytes the dividend is all in {@code low}. */
  private void divide(int extension, long low, long high, long divisor, int size) {
    duel.gpr(Cpu.RAX, low);
    duel.gpr(Cpu.RDX, high);
    duel.gpr(Cpu.RCX, divisor);
    duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
    duel.memory(8, divisor);
    duel.flags(values.flags());
    if (fits(extension == IDIV, low, high, divisor, size)) {
      duel.run(UndefinedFlags.DIVIDE, 16);
    } else {
      duel.runFaulting(Cpu.DE);
    }
  }

  private static boolean fits(boolean signed, long low, long high, long divisor, int size) {
    int bits = 8 * size;
    BigInteger dividend =
        size == 1
            ? number(low, 16, signed)
            : number(high, bits, signed).shiftLeft(bits).add(number(low, bits, false));
    BigInteger by = number(divisor, bits, signed);
    if (by.signum() == 0) {
      return false;
    }
    BigInteger quotient = dividend.divide(by);
    return signed ? quotient.bitLength() < bits : quotient.bitLength() <= bits;
  }

  private static BigInteger number(long value, int bits, boolean signed) {
    BigInteger unsigned =
        BigInteger.valueOf(value).and(BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE));
    return signed && unsigned.testBit(bits - 1)
        ? unsigned.subtract(BigInteger.ONE.shiftLeft(bits))
        : unsigned;
  }
}
