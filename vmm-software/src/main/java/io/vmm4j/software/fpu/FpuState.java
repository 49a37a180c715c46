package io.vmm4j.software.fpu;

import io.vmm4j.x86.XsaveLayout;
import java.util.Arrays;

/**
 * The x87, MMX, SSE and AVX registers of one vCPU (Intel SDM volume 1, 8.1, 9.2 and 10.2), and its
 * arithmetic units. Only the vCPU's thread touches it.
 *
 * <p>x87 registers are kept by physical number; ST(i) is physical register {@code (top + i) & 7}.
 * MMi is the significand of physical register i.
 */
public final class FpuState {
  /** Summary of unmasked exceptions in the status word. */
  public static final int ERROR_SUMMARY = 0x80;

  /** C0 of the status word. */
  public static final int C0 = 0x100;

  /** C1 of the status word. */
  public static final int C1 = 0x200;

  /** C2 of the status word. */
  public static final int C2 = 0x400;

  /** C3 of the status word. */
  public static final int C3 = 0x4000;

  private static final int CONTROL_DEFINED = 0x1f3f;
  private static final int CONTROL_FIXED = 0x40;
  private static final int TOP = 0x3800;

  /** Significands of the physical registers, which are the MMX registers. */
  public final long[] significand = new long[8];

  /** Signs and exponents of the physical registers, in the low 16 bits. */
  public final int[] signExponent = new int[8];

  /** XMM registers: the low half of register n at 2n, the high half at 2n + 1. */
  public final long[] xmm = new long[32];

  /**
   * Bits 128 to 255 of the YMM registers, in the same order: apart from the others because no SSE
   * instruction looks at them.
   */
  public final long[] ymmHigh = new long[32];

  /** Bit n is set where physical register n is not empty. */
  public int used;

  /** The physical register that is ST(0). */
  public int top;

  /** Status word but for TOP, the error summary and B. */
  public int status;

  /** The last non-control x87 instruction's opcode: 11 bits. */
  public int lastOpcode;

  /** Its offset in its code segment. */
  public long lastInstruction;

  /** Its code selector. */
  public int lastCodeSelector;

  /** Offset of the last memory operand of an x87 instruction. */
  public long lastData;

  /** Selector of that operand. */
  public int lastDataSelector;

  /** The x87's arithmetic; holds the control word. */
  public final Float80 extended = new Float80();

  /** SSE arithmetic; holds MXCSR. */
  public final SimdFloat simd = new SimdFloat();

  /** Room for operands and images on their way to and from memory. */
  final FpuImage image = new FpuImage(this);

  /** Transcendental functions. */
  final Transcendental transcendental = new Transcendental(extended);

  /** High half of the 128-bit operand fetched last. */
  long operandHigh;

  /** High half of the 128-bit result computed last. */
  long resultHigh;

  /** An operand of up to 256 bits on its way from memory or a register. */
  final long[] source = new long[4];

  /** As after power-on. */
  public FpuState() {
    reset();
  }

  /** The state after power-on or RESET# (SDM volume 3, table 10-1). */
  public void reset() {
    initialise();
    extended.control = CONTROL_FIXED;
    used = 0xff;
    Arrays.fill(significand, 0);
    Arrays.fill(signExponent, 0);
    initialiseSse();
  }

  /** FNINIT: registers keep their contents but are empty. */
  public void initialise() {
    extended.control = 0x37f;
    status = 0;
    top = 0;
    used = 0;
    lastOpcode = 0;
    lastInstruction = 0;
    lastCodeSelector = 0;
    lastData = 0;
    lastDataSelector = 0;
  }

  /** The initial configuration of the SSE state: all registers zero; MXCSR is 1F80. */
  void initialiseSse() {
    Arrays.fill(xmm, 0);
    Arrays.fill(ymmHigh, 0);
    simd.mxcsr(0x1f80);
  }

  /** The control word. */
  public int controlWord() {
    return extended.control;
  }

  /** Sets the control word; reserved bits take their fixed values. */
  public void controlWord(int value) {
    extended.control = value & CONTROL_DEFINED | CONTROL_FIXED;
  }

  /** Whether an unmasked exception waits for the next waiting instruction. */
  public boolean exceptionPending() {
    return (status & ~extended.control & FpuExceptions.ALL) != 0;
  }

  /** The status word, with TOP, ES and B. */
  public int statusWord() {
    return status | top << 11 | (exceptionPending() ? 0x8000 | ERROR_SUMMARY : 0);
  }

  /** Sets the status word and TOP; ES and B follow from the rest. */
  public void statusWord(int value) {
    status = value & 0x477f;
    top = (value & TOP) >> 11;
  }

  /** The full tag word: 0 valid, 1 zero, 2 special, 3 empty, for each physical register. */
  public int tagWord() {
    int tags = 0;
    for (int i = 7; i >= 0; i--) {
      tags = tags << 2 | tag(i);
    }
    return tags;
  }

  private int tag(int register) {
    if ((used >> register & 1) == 0) {
      return 3;
    }
    int exp = signExponent[register] & Float80.MAX_EXPONENT;
    long sig = significand[register];
    if (exp == 0 && sig == 0) {
      return 1;
    }
    return exp == 0 || exp == Float80.MAX_EXPONENT || sig >= 0 ? 2 : 0;
  }

  /** Sets which registers are empty from a full tag word; the rest of it follows from contents. */
  public void tagWord(int tags) {
    used = 0;
    for (int i = 0; i < 8; i++) {
      used |= (tags >> 2 * i & 3) != 3 ? 1 << i : 0;
    }
  }

  /** Whether ST(i) is empty. */
  boolean empty(int stackIndex) {
    return (used >> (top + stackIndex & 7) & 1) == 0;
  }

  /** Sign and exponent of ST(i). */
  public int stExponent(int stackIndex) {
    return signExponent[top + stackIndex & 7];
  }

  /** Significand of ST(i). */
  public long stSignificand(int stackIndex) {
    return significand[top + stackIndex & 7];
  }

  /** Sets ST(i), which is then not empty. */
  void st(int stackIndex, int se, long sig) {
    int register = top + stackIndex & 7;
    signExponent[register] = se;
    significand[register] = sig;
    used |= 1 << register;
  }

  /** Marks ST(0) empty and increments TOP. */
  void pop() {
    used &= ~(1 << top);
    top = top + 1 & 7;
  }

  /** What any MMX instruction but EMMS does to the x87: TOP 0, all registers valid. */
  void enterMmx() {
    top = 0;
    used = 0xff;
  }

  /** Sets an MMX register: its exponent bits become ones. */
  void mmx(int register, long value) {
    significand[register] = value;
    signExponent[register] = 0xffff;
  }

  /** Whether the upper halves of the YMM registers are not in their initial state of zeros. */
  boolean usesYmm() {
    long any = 0;
    for (long half : ymmHigh) {
      any |= half;
    }
    return any != 0;
  }

  /**
   * Writes the state as a standard-form XSAVE area with all components in use: x87 and SSE, and the
   * upper halves of the YMM registers if the processor has them.
   */
  public void toXsave(byte[] area, XsaveLayout layout) {
    image.fill(true);
    image.header(layout.hasAvx() ? 7 : 3);
    image.copyTo(area, layout.hasAvx() ? FpuImage.SIZE_WITH_AVX : FpuImage.XSAVE_SIZE);
  }

  /**
   * Takes the state from a standard-form XSAVE area; a component absent from its header's XSTATE_BV
   * gets its initial configuration.
   *
   * @throws IllegalArgumentException if the area is shorter than {@value FpuImage#XSAVE_SIZE}
   */
  public void fromXsave(byte[] area, XsaveLayout layout) {
    if (area.length < FpuImage.XSAVE_SIZE) {
      throw new IllegalArgumentException("XSAVE area of " + area.length + " bytes");
    }
    boolean avx = layout.containsAvx(area);
    image.copyFrom(area, avx ? FpuImage.SIZE_WITH_AVX : FpuImage.XSAVE_SIZE);
    long present = image.stateComponents() & (avx ? 7 : 3);
    image.restore(7, present, true, 32);
    image.restoreMxcsr();
  }
}
