package io.vmm4j.software.cpu;

/**
 * The arithmetic flags, kept lazily in two longs and computed when they are read.
 *
 * <p>{@code result} is the operation's result, sign-extended from its size: ZF is {@code result ==
 * 0}, SF its sign, PF the parity of its low byte. {@code aux} holds in bit 63 the carry (or borrow)
 * out of the most significant bit, CF; in bit 62 the carry into it, so that OF is bit 63 xor bit
 * 62; in bit 3 the carry out of bit 3, AF. Where flags are set explicitly, bit 0 of {@code aux}
 * inverts SF and bit 8 inverts PF.
 */
public final class Flags {
  public static final int CF = 1;
  public static final int PF = 4;
  public static final int AF = 0x10;
  public static final int ZF = 0x40;
  public static final int SF = 0x80;
  public static final int TF = 0x100;
  public static final int IF = 0x200;
  public static final int DF = 0x400;
  public static final int OF = 0x800;
  public static final int IOPL = 0x3000;
  public static final int NT = 0x4000;
  public static final int RF = 0x10000;
  public static final int VM = 0x20000;
  public static final int AC = 0x40000;
  public static final int VIF = 0x80000;
  public static final int VIP = 0x100000;
  public static final int ID = 0x200000;

  /** CF, PF, AF, ZF, SF, OF. */
  public static final int ARITHMETIC = CF | PF | AF | ZF | SF | OF;

  /** The other defined bits. */
  public static final int SYSTEM_MASK = TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

  private static final long CARRIES = 0xC000_0000_0000_0008L;

  private Flags() {}

  /** The aux value of {@code result = a + b (+ carry)} in 64 bits. */
  public static long addAux64(long a, long b, long result) {
    return ((a & b) | ((a | b) & ~result)) & CARRIES;
  }

  /** The aux value of {@code result = a - b (- borrow)} in 64 bits. */
  public static long subAux64(long a, long b, long result) {
    return ((~a & b) | (~(a ^ b) & result)) & CARRIES;
  }

  /** The same in 32 bits; the high halves don't matter. */
  public static long addAux32(int a, int b, int result) {
    int carries = (a & b) | ((a | b) & ~result);
    return ((long) carries << 32 & 0xC000_0000_0000_0000L) | (carries & 8);
  }

  /** The same in 32 bits. */
  public static long subAux32(int a, int b, int result) {
    int carries = (~a & b) | (~(a ^ b) & result);
    return ((long) carries << 32 & 0xC000_0000_0000_0000L) | (carries & 8);
  }

  /** The same for an operand size of 1, 2, 4 or 8 bytes. */
  public static long addAux(long a, long b, long result, int size) {
    long carries = (a & b) | ((a | b) & ~result);
    return (carries << (64 - 8 * size) & 0xC000_0000_0000_0000L) | (carries & 8);
  }

  /** The same for an operand size of 1, 2, 4 or 8 bytes. */
  public static long subAux(long a, long b, long result, int size) {
    long carries = (~a & b) | (~(a ^ b) & result);
    return (carries << (64 - 8 * size) & 0xC000_0000_0000_0000L) | (carries & 8);
  }

  /** An aux value with a given carry and overflow, and AF clear. */
  public static long aux(boolean carry, boolean overflow) {
    return (carry ? 1L << 63 : 0) | (carry != overflow ? 1L << 62 : 0);
  }

  /** The aux value of INC: the carry of before, overflow and AF of {@code result}. */
  public static long incAux(long oldAux, long addAux) {
    long carry = oldAux & 1L << 63;
    long overflow = (addAux ^ addAux << 1) & 1L << 63;
    return carry | ((carry ^ overflow) >>> 1) | (addAux & 8);
  }

  /** Sign-extends a value from a size of 1, 2, 4 or 8 bytes. */
  public static long signExtend(long value, int size) {
    int shift = 64 - 8 * size;
    return value << shift >> shift;
  }

  /** CF, PF, AF, ZF, SF and OF in their places in EFLAGS. */
  public static int arithmetic(long result, long aux) {
    int flags = (int) (aux >>> 63);
    flags |= parity(result, aux) ? PF : 0;
    flags |= (int) (aux & 8) << 1;
    flags |= result == 0 ? ZF : 0;
    flags |= sign(result, aux) ? SF : 0;
    flags |= overflow(aux) ? OF : 0;
    return flags;
  }

  /** Whether SF is set. */
  public static boolean sign(long result, long aux) {
    return (result ^ aux << 63) < 0;
  }

  /** Whether OF is set. */
  public static boolean overflow(long aux) {
    return (aux ^ aux << 1) < 0;
  }

  /** Whether PF is set. */
  public static boolean parity(long result, long aux) {
    return (Integer.bitCount((int) (result ^ aux >>> 8) & 0xFF) & 1) == 0;
  }

  /** One of the 16 conditions in their encoding. */
  public static boolean condition(int code, long result, long aux) {
    boolean value =
        switch (code >> 1) {
          case 0 -> overflow(aux);
          case 1 -> aux < 0;
          case 2 -> result == 0;
          case 3 -> aux < 0 || result == 0;
          case 4 -> sign(result, aux);
          case 5 -> parity(result, aux);
          case 6 -> sign(result, aux) != overflow(aux);
          default -> result == 0 || sign(result, aux) != overflow(aux);
        };
    return value ^ (code & 1) != 0;
  }

  /** The result value that stands for flags set explicitly. */
  static long explicitResult(int eflags) {
    return (eflags & ZF) != 0 ? 0 : 1;
  }

  /** The aux value that stands for flags set explicitly. */
  static long explicitAux(int eflags) {
    boolean zero = (eflags & ZF) != 0;
    boolean carry = (eflags & CF) != 0;
    boolean overflow = (eflags & OF) != 0;
    long aux = aux(carry, overflow) | (eflags & AF) >> 1;
    if ((eflags & SF) != 0) {
      aux |= 1;
    }
    if ((eflags & PF) != 0 != zero) {
      aux |= 1 << 8;
    }
    return aux;
  }
}
