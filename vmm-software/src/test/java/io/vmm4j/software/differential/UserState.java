package io.vmm4j.software.differential;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What user code has in registers.
 *
 * @param gpr the general registers in encoding order
 * @param fx x87, MMX and SSE state: an image of FXSAVE64 (Intel SDM volume 1, 10.5.1), and behind
 *     it the upper halves of the YMM registers
 */
record UserState(long[] gpr, long rip, long rflags, byte[] fx) {
  static final int LEGACY_BYTES = 512;
  static final int FX_BYTES = 768;

  private static final int ST = 32;
  private static final int XMM = 160;

  private ByteBuffer image() {
    return ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
  }

  int controlWord() {
    return image().getShort(0) & 0xFFFF;
  }

  int statusWord() {
    return image().getShort(2) & 0xFFFF;
  }

  int abridgedTag() {
    return fx[4] & 0xFF;
  }

  int mxcsr() {
    return image().getInt(24);
  }

  long significand(int stackIndex) {
    return image().getLong(ST + 16 * stackIndex);
  }

  int signExponent(int stackIndex) {
    return image().getShort(ST + 16 * stackIndex + 8) & 0xFFFF;
  }

  /** The low half (0) or the high half (1) of an XMM register. */
  long xmm(int register, int half) {
    return image().getLong(XMM + 16 * register + 8 * half);
  }

  /** Bits 128 to 191 (0) or 192 to 255 (1) of a YMM register. */
  long ymmHigh(int register, int half) {
    return image().getLong(LEGACY_BYTES + 16 * register + 8 * half);
  }

  void setControl(int controlWord, int statusWord, int abridgedTag, int mxcsr) {
    image()
        .putShort(0, (short) controlWord)
        .putShort(2, (short) statusWord)
        .put(4, (byte) abridgedTag)
        .putInt(24, mxcsr);
  }

  void setSt(int stackIndex, int signExponent, long significand) {
    image()
        .putLong(ST + 16 * stackIndex, significand)
        .putShort(ST + 16 * stackIndex + 8, (short) signExponent);
  }

  void setYmmHigh(int register, long low, long high) {
    image()
        .putLong(LEGACY_BYTES + 16 * register, low)
        .putLong(LEGACY_BYTES + 16 * register + 8, high);
  }

  void setXmm(int register, long low, long high) {
    image().putLong(XMM + 16 * register, low).putLong(XMM + 16 * register + 8, high);
  }
}
