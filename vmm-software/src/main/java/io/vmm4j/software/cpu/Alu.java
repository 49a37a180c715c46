package io.vmm4j.software.cpu;

import io.vmm4j.software.fpu.Wide;

/**
 * What the integer instructions compute, for operand sizes of 1, 2, 4 and 8 bytes. Operands come
 * zero-extended or not: bits above the size don't matter; results go out zero-extended. Flags that
 * the manuals leave undefined are what recent processors give where that is simple.
 */
final class Alu {
  static final int ADD = 0;
  static final int OR = 1;
  static final int ADC = 2;
  static final int SBB = 3;
  static final int AND = 4;
  static final int SUB = 5;
  static final int XOR = 6;
  static final int CMP = 7;

  private Alu() {}

  static long mask(int size) {
    return -1L >>> 64 - 8 * size;
  }

  /** The operations of opcodes 00 to 3F and groups 80 to 83, in their encoding; sets the flags. */
  static long operate(Cpu cpu, int operation, long a, long b, int size) {
    long result;
    switch (operation) {
      case ADD -> {
        result = a + b;
        cpu.flagAux = Flags.addAux(a, b, result, size);
      }
      case ADC -> {
        result = a + b + cpu.carry();
        cpu.flagAux = Flags.addAux(a, b, result, size);
      }
      case SBB -> {
        result = a - b - cpu.carry();
        cpu.flagAux = Flags.subAux(a, b, result, size);
      }
      case SUB, CMP -> {
        result = a - b;
        cpu.flagAux = Flags.subAux(a, b, result, size);
      }
      case OR -> {
        result = a | b;
        cpu.flagAux = 0;
      }
      case AND -> {
        result = a & b;
        cpu.flagAux = 0;
      }
      default -> {
        result = a ^ b;
        cpu.flagAux = 0;
      }
    }
    result = Flags.signExtend(result, size);
    cpu.flagResult = result;
    return result & mask(size);
  }

  static void logicFlags(Cpu cpu, long result, int size) {
    cpu.flagResult = Flags.signExtend(result, size);
    cpu.flagAux = 0;
  }

  static long increment(Cpu cpu, long a, int size) {
    long result = a + 1;
    cpu.flagAux = Flags.incAux(cpu.flagAux, Flags.addAux(a, 1, result, size));
    cpu.flagResult = Flags.signExtend(result, size);
    return result & mask(size);
  }

  static long decrement(Cpu cpu, long a, int size) {
    long result = a - 1;
    cpu.flagAux = Flags.incAux(cpu.flagAux, Flags.subAux(a, 1, result, size));
    cpu.flagResult = Flags.signExtend(result, size);
    return result & mask(size);
  }

  static long negate(Cpu cpu, long a, int size) {
    long result = -a;
    cpu.flagAux = Flags.subAux(0, a, result, size);
    cpu.flagResult = Flags.signExtend(result, size);
    return result & mask(size);
  }

  /** Replaces CF and OF and keeps the rest: rotates. */
  private static void setCarryOverflow(Cpu cpu, boolean carry, boolean overflow) {
    cpu.flagAux = Flags.aux(carry, overflow) | cpu.flagAux & 0x3FFF_FFFF_FFFF_FFFFL;
  }

  /** Replaces CF and keeps the rest. */
  static void setCarry(Cpu cpu, boolean carry) {
    setCarryOverflow(cpu, carry, Flags.overflow(cpu.flagAux));
  }

  /**
   * Shifts and rotates of groups C0, C1, D0 to D3.
   *
   * @param count as encoded; masked here
   */
  static long shift(Cpu cpu, int operation, long value, int count, int size) {
    int bits = 8 * size;
    int n = count & (size == 8 ? 63 : 31);
    long mask = mask(size);
    long a = value & mask;
    if (n == 0) {
      return a;
    }
    return switch (operation) {
      case 0 -> rotateLeft(cpu, a, n, bits, mask);
      case 1 -> rotateRight(cpu, a, n, bits, mask);
      case 2 -> rotateLeftCarry(cpu, a, n, bits, mask);
      case 3 -> rotateRightCarry(cpu, a, n, bits, mask);
      case 5 -> shiftRight(cpu, a, n, bits, size);
      case 7 -> shiftArithmetic(cpu, a, n, bits, size);
      default -> shiftLeft(cpu, a, n, bits, size);
    };
  }

  private static long rotateLeft(Cpu cpu, long a, int n, int bits, long mask) {
    int r = n & bits - 1;
    long result = r == 0 ? a : (a << r | a >>> bits - r) & mask;
    boolean carry = (result & 1) != 0;
    setCarryOverflow(cpu, carry, carry != ((result >>> bits - 1 & 1) != 0));
    return result;
  }

  private static long rotateRight(Cpu cpu, long a, int n, int bits, long mask) {
    int r = n & bits - 1;
    long result = r == 0 ? a : (a >>> r | a << bits - r) & mask;
    boolean carry = (result >>> bits - 1 & 1) != 0;
    setCarryOverflow(cpu, carry, carry != ((result >>> bits - 2 & 1) != 0));
    return result;
  }

  private static long rotateLeftCarry(Cpu cpu, long a, int n, int bits, long mask) {
    int r = n % (bits + 1);
    if (r == 0) {
      boolean same = cpu.carry() != 0;
      setCarryOverflow(cpu, same, same != ((a >>> bits - 1 & 1) != 0));
      return a;
    }
    long c = cpu.carry();
    long result = (r == 64 ? 0 : a << r) | c << r - 1;
    if (r > 1) {
      result |= a >>> bits + 1 - r;
    }
    result &= mask;
    boolean carry = (a >>> bits - r & 1) != 0;
    setCarryOverflow(cpu, carry, carry != ((result >>> bits - 1 & 1) != 0));
    return result;
  }

  private static long rotateRightCarry(Cpu cpu, long a, int n, int bits, long mask) {
    int r = n % (bits + 1);
    if (r == 0) {
      return a;
    }
    long c = cpu.carry();
    long result = (r == 64 ? 0 : a >>> r) | c << bits - r;
    if (r > 1) {
      result |= a << bits + 1 - r;
    }
    result &= mask;
    boolean carry = (a >>> r - 1 & 1) != 0;
    boolean overflow = ((result >>> bits - 1 ^ result >>> bits - 2) & 1) != 0;
    setCarryOverflow(cpu, carry, overflow);
    return result;
  }

  private static long shiftLeft(Cpu cpu, long a, int n, int bits, int size) {
    long result = n >= 64 ? 0 : a << n;
    boolean carry = n <= bits && (a >>> bits - n & 1) != 0;
    long extended = Flags.signExtend(result, size);
    cpu.flagResult = extended;
    cpu.flagAux = Flags.aux(carry, carry != extended < 0);
    return result & mask(size);
  }

  private static long shiftRight(Cpu cpu, long a, int n, int bits, int size) {
    long result = a >>> n;
    boolean carry = (a >>> n - 1 & 1) != 0;
    boolean overflow = n == 1 && (a >>> bits - 1 & 1) != 0;
    cpu.flagResult = Flags.signExtend(result, size);
    cpu.flagAux = Flags.aux(carry, overflow);
    return result;
  }

  private static long shiftArithmetic(Cpu cpu, long a, int n, int bits, int size) {
    long extended = Flags.signExtend(a, size);
    long result = extended >> n;
    cpu.flagResult = result;
    cpu.flagAux = Flags.aux((extended >> n - 1 & 1) != 0, false);
    return result & mask(size);
  }

  /**
   * SHLD: {@code high} shifted left, filled from {@code low}. OF, which is undefined for more than
   * one bit, is here and for SHRD that of the last step of one bit, as processors have it.
   */
  static long shiftLeftDouble(Cpu cpu, long high, long low, int count, int size) {
    int n = count & (size == 8 ? 63 : 31);
    long mask = mask(size);
    int bits = 8 * size;
    long a = high & mask;
    long b = low & mask;
    if (n == 0) {
      return a;
    }
    long result;
    boolean carry;
    if (n <= bits) {
      result = (n == 64 ? 0 : a << n) | (n == bits ? b : b >>> bits - n);
      carry = (a >>> bits - n & 1) != 0;
    } else { // 16 bits by more than 16: undefined; the operands repeat
      result = b << n - bits | a >>> 2 * bits - n;
      carry = (b >>> 2 * bits - n & 1) != 0;
    }
    long extended = Flags.signExtend(result, size);
    cpu.flagResult = extended;
    cpu.flagAux = Flags.aux(carry, carry != ((result >>> bits - 1 & 1) != 0));
    return result & mask;
  }

  /** SHRD: {@code low} shifted right, filled from {@code high}. */
  static long shiftRightDouble(Cpu cpu, long low, long high, int count, int size) {
    int n = count & (size == 8 ? 63 : 31);
    long mask = mask(size);
    int bits = 8 * size;
    long a = low & mask;
    long b = high & mask;
    if (n == 0) {
      return a;
    }
    long result;
    boolean carry;
    if (n <= bits) {
      result = a >>> n | (n == bits ? b : b << bits - n);
      carry = (a >>> n - 1 & 1) != 0;
    } else {
      result = b >>> n - bits | a << 2 * bits - n;
      carry = (b >>> n - bits - 1 & 1) != 0;
    }
    result &= mask;
    long extended = Flags.signExtend(result, size);
    cpu.flagResult = extended;
    cpu.flagAux = Flags.aux(carry, ((result ^ result << 1) >>> bits - 1 & 1) != 0);
    return result;
  }

  /** Signed multiplication to the operand size: two- and three-operand IMUL. */
  static long multiplySigned(Cpu cpu, long a, long b, int size) {
    long x = Flags.signExtend(a, size);
    long y = Flags.signExtend(b, size);
    long low = x * y;
    boolean overflow;
    if (size == 8) {
      overflow = Math.multiplyHigh(x, y) != low >> 63;
    } else {
      overflow = Flags.signExtend(low, size) != low;
    }
    cpu.flagResult = Flags.signExtend(low, size);
    cpu.flagAux = Flags.aux(overflow, overflow);
    return low & mask(size);
  }

  /** MUL and IMUL with AL, AX, EAX or RAX: sets the double-width result and the flags. */
  static void multiplyAccumulator(Cpu cpu, long operand, int size, boolean signed) {
    long[] r = cpu.gpr;
    if (size == 8) {
      long a = r[Cpu.RAX];
      long high = signed ? Math.multiplyHigh(a, operand) : Math.unsignedMultiplyHigh(a, operand);
      long low = a * operand;
      boolean overflow = signed ? high != low >> 63 : high != 0;
      r[Cpu.RAX] = low;
      r[Cpu.RDX] = high;
      cpu.flagResult = low;
      cpu.flagAux = Flags.aux(overflow, overflow);
      return;
    }
    long x = signed ? Flags.signExtend(r[Cpu.RAX], size) : r[Cpu.RAX] & mask(size);
    long y = signed ? Flags.signExtend(operand, size) : operand & mask(size);
    long product = x * y;
    boolean overflow =
        signed ? Flags.signExtend(product, size) != product : product >>> 8 * size != 0;
    if (size == 1) {
      cpu.setReg(Cpu.RAX, 2, product);
    } else {
      cpu.setReg(Cpu.RAX, size, product);
      cpu.setReg(Cpu.RDX, size, product >>> 8 * size);
    }
    cpu.flagResult = Flags.signExtend(product, size);
    cpu.flagAux = Flags.aux(overflow, overflow);
  }

  /** DIV: #DE on zero or overflow. Flags stay. */
  static void divide(Cpu cpu, long operand, int size) {
    long[] r = cpu.gpr;
    long divisor = operand & mask(size);
    if (divisor == 0) {
      throw cpu.raise(Cpu.DE);
    }
    if (size == 8) {
      if (Long.compareUnsigned(r[Cpu.RDX], divisor) >= 0) {
        throw cpu.raise(Cpu.DE);
      }
      long high = r[Cpu.RDX];
      long low = r[Cpu.RAX];
      if (high == 0) {
        r[Cpu.RAX] = Long.divideUnsigned(low, divisor);
        r[Cpu.RDX] = Long.remainderUnsigned(low, divisor);
      } else {
        divideWide(cpu, high, low, divisor);
      }
      return;
    }
    long dividend =
        size == 1
            ? r[Cpu.RAX] & 0xFFFF
            : (r[Cpu.RDX] & mask(size)) << 8 * size | r[Cpu.RAX] & mask(size);
    long quotient = Long.divideUnsigned(dividend, divisor);
    if (quotient >>> 8 * size != 0) {
      throw cpu.raise(Cpu.DE);
    }
    setQuotient(cpu, quotient, Long.remainderUnsigned(dividend, divisor), size);
  }

  /** Unsigned 128 by 64 bits, the high half being less than the divisor. */
  private static void divideWide(Cpu cpu, long high, long low, long divisor) {
    int shift = Long.numberOfLeadingZeros(divisor);
    long shiftedHigh = shift == 0 ? high : high << shift | low >>> -shift;
    long quotient = Wide.divide(shiftedHigh, low << shift, divisor << shift);
    cpu.gpr[Cpu.RAX] = quotient;
    cpu.gpr[Cpu.RDX] = low - quotient * divisor;
  }

  /** IDIV: #DE on zero or overflow. Flags stay. */
  static void divideSigned(Cpu cpu, long operand, int size) {
    long[] r = cpu.gpr;
    long divisor = Flags.signExtend(operand, size);
    if (divisor == 0) {
      throw cpu.raise(Cpu.DE);
    }
    if (size == 8) {
      divideSignedWide(cpu, divisor);
      return;
    }
    long dividend =
        size == 1
            ? (short) r[Cpu.RAX]
            : Flags.signExtend(
                (r[Cpu.RDX] & mask(size)) << 8 * size | r[Cpu.RAX] & mask(size), 2 * size);
    if (dividend == Long.MIN_VALUE && divisor == -1) {
      throw cpu.raise(Cpu.DE);
    }
    long quotient = dividend / divisor;
    if (Flags.signExtend(quotient, size) != quotient) {
      throw cpu.raise(Cpu.DE);
    }
    setQuotient(cpu, quotient, dividend % divisor, size);
  }

  private static void divideSignedWide(Cpu cpu, long divisor) {
    long[] r = cpu.gpr;
    long high = r[Cpu.RDX];
    long low = r[Cpu.RAX];
    if (high == low >> 63) {
      if (low == Long.MIN_VALUE && divisor == -1) {
        throw cpu.raise(Cpu.DE);
      }
      r[Cpu.RAX] = low / divisor;
      r[Cpu.RDX] = low % divisor;
      return;
    }
    boolean negative = high < 0;
    if (negative) {
      low = -low;
      high = ~high + (low == 0 ? 1 : 0);
    }
    long magnitude = Math.abs(divisor);
    if (Long.compareUnsigned(high, magnitude) >= 0) {
      throw cpu.raise(Cpu.DE);
    }
    long savedRax = r[Cpu.RAX];
    long savedRdx = r[Cpu.RDX];
    divideWide(cpu, high, low, magnitude);
    long quotient = r[Cpu.RAX];
    long remainder = r[Cpu.RDX];
    boolean negativeQuotient = negative != divisor < 0;
    boolean fits = negativeQuotient ? quotient >= 0 || quotient == Long.MIN_VALUE : quotient >= 0;
    if (!fits) {
      r[Cpu.RAX] = savedRax;
      r[Cpu.RDX] = savedRdx;
      throw cpu.raise(Cpu.DE);
    }
    r[Cpu.RAX] = negativeQuotient ? -quotient : quotient;
    r[Cpu.RDX] = negative ? -remainder : remainder;
  }

  private static void setQuotient(Cpu cpu, long quotient, long remainder, int size) {
    if (size == 1) {
      cpu.setReg(Cpu.RAX, 2, quotient & 0xFF | (remainder & 0xFF) << 8);
    } else {
      cpu.setReg(Cpu.RAX, size, quotient);
      cpu.setReg(Cpu.RDX, size, remainder);
    }
  }
}
