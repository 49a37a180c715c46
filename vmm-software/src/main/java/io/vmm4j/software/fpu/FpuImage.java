package io.vmm4j.software.fpu;

import io.vmm4j.x86.XsaveLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The memory forms of the x87, SSE and AVX state: FXSAVE and XSAVE areas (Intel SDM volume 1, 10.5
 * and 13.4), FSAVE areas and environments (8.1.10). One buffer for each vCPU, so that saving
 * allocates nothing.
 */
final class FpuImage {
  /** Bytes of an XSAVE area with x87 and SSE: the legacy region and the header. */
  static final int XSAVE_SIZE = 576;

  /** Bytes of one that has the upper halves of the YMM registers too. */
  static final int SIZE_WITH_AVX = XsaveLayout.AVX_OFFSET + XsaveLayout.AVX_BYTES;

  /** Bytes of an FXSAVE area. */
  static final int FXSAVE_SIZE = 512;

  /** Bits that MXCSR may have. */
  static final int MXCSR_MASK = 0xffff;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int MXCSR = 24;
  private static final int REGISTERS = 32;
  private static final int XMM = 160;
  private static final int HEADER = 512;

  private final FpuState state;
  private final byte[] buffer = new byte[SIZE_WITH_AVX];

  FpuImage(FpuState state) {
    this.state = state;
  }

  long getLong(int offset) {
    return (long) LONG.get(buffer, offset);
  }

  void setLong(int offset, long value) {
    LONG.set(buffer, offset, value);
  }

  int getInt(int offset) {
    return (int) INT.get(buffer, offset);
  }

  void setInt(int offset, int value) {
    INT.set(buffer, offset, value);
  }

  int getShort(int offset) {
    return (short) SHORT.get(buffer, offset) & 0xffff;
  }

  void setShort(int offset, int value) {
    SHORT.set(buffer, offset, (short) value);
  }

  void copyTo(byte[] target, int length) {
    System.arraycopy(buffer, 0, target, 0, length);
  }

  void copyFrom(byte[] source, int length) {
    System.arraycopy(source, 0, buffer, 0, length);
  }

  /** Fills the legacy region; {@code wide} gives 64-bit pointers instead of selectors. */
  void fill(boolean wide) {
    Arrays.fill(buffer, (byte) 0);
    fillX87(wide);
    setInt(MXCSR, state.simd.mxcsr());
    setInt(MXCSR + 4, MXCSR_MASK);
    for (int i = 0; i < 32; i++) {
      setLong(XMM + 8 * i, state.xmm[i]);
      setLong(XsaveLayout.AVX_OFFSET + 8 * i, state.ymmHigh[i]);
    }
  }

  private void fillX87(boolean wide) {
    setShort(0, state.controlWord());
    setShort(2, state.statusWord());
    setShort(4, state.used);
    setShort(6, state.lastOpcode);
    setLong(8, state.lastInstruction);
    setLong(16, state.lastData);
    if (!wide) {
      setInt(12, state.lastCodeSelector);
      setInt(20, state.lastDataSelector);
    }
    for (int i = 0; i < 8; i++) {
      setLong(REGISTERS + 16 * i, state.stSignificand(i));
      setLong(REGISTERS + 16 * i + 8, state.stExponent(i) & 0xffff);
    }
  }

  /** Writes the XSAVE header: XSTATE_BV, and zeros. */
  void header(long components) {
    Arrays.fill(buffer, HEADER, XSAVE_SIZE, (byte) 0);
    setLong(HEADER, components);
  }

  /** XSTATE_BV of the header. */
  long stateComponents() {
    return getLong(HEADER);
  }

  /** Whether the header's compaction field and reserved bytes are zero, as standard form wants. */
  boolean headerIsStandard() {
    long reserved = 0;
    for (int i = 8; i < 24; i += 8) {
      reserved |= getLong(HEADER + i);
    }
    return reserved == 0;
  }

  /** MXCSR in the image. */
  int mxcsr() {
    return getInt(MXCSR);
  }

  /** Loads MXCSR from the image. */
  void restoreMxcsr() {
    state.simd.mxcsr(mxcsr() & MXCSR_MASK);
  }

  /**
   * Restores x87 (bit 0), XMM (bit 1) and upper YMM (bit 2) state, but not MXCSR.
   *
   * @param requested which components to touch
   * @param present which of them the image has; others get their initial configuration
   * @param wide whether pointers are 64 bits
   * @param halves how many halves of XMM registers to touch: 16 or 32
   */
  void restore(long requested, long present, boolean wide, int halves) {
    if ((requested & 1) != 0) {
      if ((present & 1) != 0) {
        restoreX87(wide);
      } else {
        state.initialise();
        Arrays.fill(state.significand, 0);
        Arrays.fill(state.signExponent, 0);
      }
    }
    if ((requested & 2) != 0) {
      if ((present & 2) != 0) {
        restoreXmm(halves);
      } else {
        Arrays.fill(state.xmm, 0, halves, 0);
      }
    }
    if ((requested & XsaveLayout.AVX) != 0) {
      boolean has = (present & XsaveLayout.AVX) != 0;
      for (int i = 0; i < halves; i++) {
        state.ymmHigh[i] = has ? getLong(XsaveLayout.AVX_OFFSET + 8 * i) : 0;
      }
    }
  }

  /** Restores the first {@code halves} 64-bit halves of the XMM registers. */
  void restoreXmm(int halves) {
    for (int i = 0; i < halves; i++) {
      state.xmm[i] = getLong(XMM + 8 * i);
    }
  }

  void restoreX87(boolean wide) {
    state.controlWord(getShort(0));
    state.statusWord(getShort(2));
    state.used = getShort(4) & 0xff;
    state.lastOpcode = getShort(6) & 0x7ff;
    state.lastInstruction = wide ? getLong(8) : getInt(8) & 0xffff_ffffL;
    state.lastData = wide ? getLong(16) : getInt(16) & 0xffff_ffffL;
    state.lastCodeSelector = wide ? 0 : getShort(12);
    state.lastDataSelector = wide ? 0 : getShort(20);
    for (int i = 0; i < 8; i++) {
      int register = state.top + i & 7;
      state.significand[register] = getLong(REGISTERS + 16 * i);
      state.signExponent[register] = getShort(REGISTERS + 16 * i + 8);
    }
  }

  /** Bytes of an environment: 14 for an operand size of 2, else 28. */
  static int environmentSize(int operandSize) {
    return operandSize == 2 ? 14 : 28;
  }

  /** Fills in an environment, as FNSTENV stores it. */
  void fillEnvironment(int operandSize, boolean protectedMode) {
    int width = operandSize == 2 ? 2 : 4;
    environmentWord(0, width, state.controlWord());
    environmentWord(1, width, state.statusWord());
    environmentWord(2, width, state.tagWord());
    if (protectedMode) {
      if (width == 2) {
        setShort(6, (int) state.lastInstruction);
        setShort(8, state.lastCodeSelector);
        setShort(10, (int) state.lastData);
        setShort(12, state.lastDataSelector);
      } else {
        setInt(12, (int) state.lastInstruction);
        setInt(16, state.lastOpcode << 16 | state.lastCodeSelector);
        setInt(20, (int) state.lastData);
        setInt(24, 0xffff_0000 | state.lastDataSelector);
      }
      return;
    }
    int instruction = (int) state.lastInstruction + (state.lastCodeSelector << 4);
    int data = (int) state.lastData + (state.lastDataSelector << 4);
    if (width == 2) {
      setShort(6, instruction);
      setShort(8, (instruction >> 4 & 0xf000) | state.lastOpcode);
      setShort(10, data);
      setShort(12, data >> 4 & 0xf000);
    } else {
      environmentWord(3, 4, instruction);
      setInt(16, (instruction >>> 16) << 12 | state.lastOpcode);
      environmentWord(5, 4, data);
      setInt(24, (data >>> 16) << 12);
    }
  }

  private void environmentWord(int index, int width, int value) {
    if (width == 2) {
      setShort(2 * index, value);
    } else {
      setInt(4 * index, 0xffff_0000 | value);
    }
  }

  /** Takes an environment, as FLDENV does. */
  void restoreEnvironment(int operandSize, boolean protectedMode) {
    int width = operandSize == 2 ? 2 : 4;
    state.controlWord(getShort(0));
    state.statusWord(getShort(width));
    state.tagWord(getShort(2 * width));
    if (protectedMode) {
      state.lastInstruction = width == 2 ? getShort(6) : getInt(12) & 0xffff_ffffL;
      state.lastCodeSelector = getShort(4 * width);
      state.lastData = width == 2 ? getShort(10) : getInt(20) & 0xffff_ffffL;
      state.lastDataSelector = getShort(6 * width);
      state.lastOpcode = width == 2 ? 0 : getShort(18) & 0x7ff;
      return;
    }
    int codeHigh = width == 2 ? getShort(8) : getInt(16);
    int dataHigh = width == 2 ? getShort(12) : getInt(24);
    state.lastOpcode = codeHigh & 0x7ff;
    state.lastInstruction = getShort(3 * width) | (codeHigh >>> 12 & 0xffffL) << 16;
    state.lastData = getShort(5 * width) | (dataHigh >>> 12 & 0xffffL) << 16;
    state.lastCodeSelector = 0;
    state.lastDataSelector = 0;
  }

  /** Fills in the eight registers behind an environment, ST(0) first (FNSAVE). */
  void fillRegisters(int offset) {
    for (int i = 0; i < 8; i++) {
      setLong(offset + 10 * i, state.stSignificand(i));
      setShort(offset + 10 * i + 8, state.stExponent(i));
    }
  }

  /** Takes the eight registers behind an environment (FRSTOR), which was taken already. */
  void restoreRegisters(int offset) {
    for (int i = 0; i < 8; i++) {
      int register = state.top + i & 7;
      state.significand[register] = getLong(offset + 10 * i);
      state.signExponent[register] = getShort(offset + 10 * i + 8);
    }
  }
}
