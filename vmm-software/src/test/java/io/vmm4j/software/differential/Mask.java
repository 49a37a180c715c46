package io.vmm4j.software.differential;

/**
 * What of a state is not to be compared, for the instruction that has just run leaves it open.
 *
 * @param flags of RFLAGS
 * @param registers a bit for each general register
 * @param xmm a bit for each XMM register, which stands for the whole YMM register
 * @param x87 whether the x87 and MMX registers and the status word are open
 * @param cr2 whether it is open which byte of a page CR2 names
 * @param alignment whether #AC and #GP are the same
 * @param top whether the eight bytes on top of the stack are open
 * @param memory the address of bytes that are open, if {@code memoryBytes} is not 0
 */
record Mask(
    int flags,
    int registers,
    int xmm,
    boolean x87,
    boolean cr2,
    boolean alignment,
    boolean top,
    long memory,
    int memoryBytes) {
  static final Mask NONE = new Mask(0, 0, 0, false, false, false, false, 0, 0);
  static final Mask X87 = new Mask(0, 0, 0, true, true, false, false, 0, 0);

  /** Of an instruction that loads or stores the image of a whole state. */
  static final Mask IMAGE = new Mask(0, 0, 0, false, true, true, false, 0, 0);

  static Mask flags(int flags) {
    return new Mask(flags, 0, 0, false, false, false, false, 0, 0);
  }

  /** Flags that have just been pushed. */
  static Mask pushedFlags(int flags) {
    return new Mask(flags, 0, 0, false, false, false, true, 0, 0);
  }

  static Mask register(int register) {
    return new Mask(0, 1 << register, 0, false, false, false, false, 0, 0);
  }

  static Mask xmm(int register) {
    return new Mask(0, 0, 1 << register, false, false, false, false, 0, 0);
  }

  static Mask memory(long address, int bytes) {
    return new Mask(0, 0, 0, false, false, false, false, address, bytes);
  }
}
