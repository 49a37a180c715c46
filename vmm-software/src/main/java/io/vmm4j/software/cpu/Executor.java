package io.vmm4j.software.cpu;

/** The class that executes an instruction. */
public enum Executor {
  /** None: #UD. */
  UNDEFINED(true, false),

  /** {@link IntegerOps}. */
  INTEGER(false, false),

  /** {@link Branches}. */
  BRANCH(true, false),

  /** {@link BitOps}. */
  BIT(false, false),

  /** {@link StringOps}. */
  STRING(false, false),

  /** {@link DecimalOps}. */
  DECIMAL(false, false),

  /** {@link BitManipulation}. */
  BIT_MANIPULATION(false, false),

  /** {@code PortOps}. */
  PORT(true, true),

  /** {@code SystemOps}. */
  SYSTEM(true, true),

  /** {@code X87}. */
  X87(false, false),

  /** {@code StateInstructions}. */
  STATE(false, false),

  /** {@code SimdMove}. */
  SIMD_MOVE(false, false),

  /** {@code SimdInteger}. */
  SIMD_INTEGER(false, false),

  /** {@code SimdArithmetic}. */
  SIMD_FLOAT(false, false),

  /** {@code SimdConvert}. */
  SIMD_CONVERT(false, false),

  /** {@code Simd38}. */
  SIMD_38(false, false),

  /** {@code Simd3a}. */
  SIMD_3A(false, false),

  /** {@code Avx}: the VEX forms of SSE instructions among them. */
  AVX(false, false),

  /** {@code AvxPermute}. */
  AVX_PERMUTE(false, false),

  /** {@code AvxMasked}. */
  AVX_MASKED(false, false),

  /** {@code HalfPrecision}. */
  F16C(false, false),

  /** {@code FusedMultiply}. */
  FMA(false, false);

  /** Whether its instructions end a block. */
  public final boolean endsBlock;

  /** Whether its instructions may change what the run loop has to look at. */
  public final boolean isSystem;

  Executor(boolean endsBlock, boolean isSystem) {
    this.endsBlock = endsBlock;
    this.isSystem = isSystem;
  }

  /** By name: {@link #valueOf} would make a map of them by reflection. */
  static Executor named(String name) {
    for (Executor executor : values()) {
      if (executor.name().equals(name)) {
        return executor;
      }
    }
    throw new IllegalStateException("no such executor: " + name);
  }

  /** Whether its instructions are those of SSE, which have forms with VEX. */
  boolean isSse() {
    return switch (this) {
      case STATE, SIMD_MOVE, SIMD_INTEGER, SIMD_FLOAT, SIMD_CONVERT, SIMD_38, SIMD_3A -> true;
      default -> false;
    };
  }

  /** Whether its instructions may fault without access to memory, whichever they are. */
  boolean mayFault() {
    return switch (this) {
      case INTEGER, BIT, DECIMAL, BIT_MANIPULATION, STRING -> false;
      default -> true;
    };
  }
}
