package io.vmm4j.software.fpu;

/**
 * Exception flags, rounding modes and precision control as they stand in the x87 status and control
 * words and in MXCSR (Intel SDM volume 1, 8.1.3, 8.1.5 and 10.2.3).
 */
public final class FpuExceptions {
  /** Invalid operation. */
  public static final int INVALID = 0x01;

  /** Denormal operand. */
  public static final int DENORMAL = 0x02;

  /** Division of a finite number by zero. */
  public static final int ZERO_DIVIDE = 0x04;

  /** Overflow. */
  public static final int OVERFLOW = 0x08;

  /** Underflow. */
  public static final int UNDERFLOW = 0x10;

  /** Inexact result. */
  public static final int PRECISION = 0x20;

  /** x87 stack overflow or underflow; comes with {@link #INVALID}. */
  public static final int STACK_FAULT = 0x40;

  /** All six exceptions. */
  public static final int ALL = 0x3f;

  /** Those found before the operation is carried out: unmasked, they leave operands untouched. */
  public static final int BEFORE_RESULT = INVALID | DENORMAL | ZERO_DIVIDE;

  /** Round to nearest, ties to even. */
  public static final int NEAREST = 0;

  /** Round towards minus infinity. */
  public static final int DOWN = 1;

  /** Round towards plus infinity. */
  public static final int UP = 2;

  /** Round towards zero. */
  public static final int TRUNCATE = 3;

  private FpuExceptions() {}
}
