package io.vmm4j.software.differential;

/**
 * The ModRM operand of an instruction: a register, or memory.
 *
 * @param register its number, or -1 for memory
 * @param base a register, {@link #NONE} or {@link #RIP}
 * @param index a register or {@link #NONE}
 * @param scale 0 to 3
 * @param displacement of the address; with RIP the address itself
 * @param shortDisplacement whether the displacement is to take one byte if it can
 * @param segmentPrefix a prefix, or 0
 * @param narrow whether the address size is 32 bits
 */
record Operand(
    int register,
    int base,
    int index,
    int scale,
    long displacement,
    boolean shortDisplacement,
    int segmentPrefix,
    boolean narrow) {
  static final int NONE = -1;
  static final int RIP = -2;

  static Operand register(int number) {
    return new Operand(number, NONE, NONE, 0, 0, false, 0, false);
  }

  static Operand absolute(long address) {
    return new Operand(-1, NONE, NONE, 0, address, false, 0, false);
  }

  static Operand relative(int base, int index, int scale, long displacement) {
    return new Operand(-1, base, index, scale, displacement, true, 0, false);
  }

  static Operand ripRelative(long address) {
    return new Operand(-1, RIP, NONE, 0, address, false, 0, false);
  }

  Operand in(int prefix) {
    return new Operand(
        register, base, index, scale, displacement, shortDisplacement, prefix, narrow);
  }

  Operand narrowed() {
    return new Operand(
        register, base, index, scale, displacement, shortDisplacement, segmentPrefix, true);
  }

  boolean isRegister() {
    return register >= 0;
  }
}
