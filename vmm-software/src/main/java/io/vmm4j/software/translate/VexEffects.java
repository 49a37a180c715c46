package io.vmm4j.software.translate;

import io.vmm4j.software.cpu.Executor;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.InstructionForm;
import io.vmm4j.software.cpu.Mnemonic;
import io.vmm4j.software.cpu.OperandPlace;

/**
 * What a translator has to know of instructions with VEX (Intel SDM volume 2, 2.3), from their rows
 * in the instruction table.
 *
 * <p>The interpreter executes the approximations, which differ between processors, masked accesses
 * and gathers, which may touch less than their whole operand, and VZEROUPPER of 32-bit code, which
 * leaves the registers that only 64-bit code has.
 */
public final class VexEffects {
  private VexEffects() {}

  static int of(Instruction in) {
    boolean vector = in.form.executor != Executor.BIT_MANIPULATION;
    int kind = vector ? VectorEffects.VECTOR : 0;
    if (vector && !isTranslatedVector(in)) {
      return Effects.INTERPRETED | kind;
    }
    return Effects.effects(in, 0, writesFlags(in.form) ? Flags.ARITHMETIC : 0) | kind;
  }

  private static boolean isTranslatedVector(Instruction in) {
    InstructionForm form = in.form;
    if (form.accessesImplicitMemory || in.vectorIndex >= 0) {
      return false;
    }
    return switch (form.family) {
      case STATE, AVX_MASKED -> false;
      case AVX -> in.codeSize == 8;
      default -> !isApproximation(in.mnemonic);
    };
  }

  private static boolean isApproximation(int mnemonic) {
    return switch (mnemonic) {
      case Mnemonic.RCPPS, Mnemonic.RCPSS, Mnemonic.RSQRTPS, Mnemonic.RSQRTSS -> true;
      default -> false;
    };
  }

  /** Whether the arithmetic flags are written, or left undefined. */
  public static boolean writesFlags(InstructionForm form) {
    return (form.flagsWritten | form.flagsUndefined) != 0;
  }

  /** Whether the operand in ModRM.rm is the destination. */
  public static boolean isStore(InstructionForm form) {
    return form.first == OperandPlace.RM || form.first == OperandPlace.XMM_RM;
  }

  /** What the address of the operand in memory has to be a multiple of. */
  public static int alignment(Instruction in) {
    return switch (in.mnemonic) {
      case Mnemonic.MOVAPS,
          Mnemonic.MOVAPD,
          Mnemonic.MOVDQA,
          Mnemonic.MOVNTPS,
          Mnemonic.MOVNTPD,
          Mnemonic.MOVNTDQ,
          Mnemonic.MOVNTDQA ->
          in.form.operandBytes(in);
      default -> 1;
    };
  }
}
