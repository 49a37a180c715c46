package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Flags.AF;
import static io.vmm4j.software.cpu.Flags.ARITHMETIC;
import static io.vmm4j.software.cpu.Flags.CF;
import static io.vmm4j.software.cpu.Flags.OF;
import static io.vmm4j.software.cpu.Flags.PF;
import static io.vmm4j.software.cpu.Flags.SF;
import static io.vmm4j.software.cpu.Flags.ZF;

/** The flags that instructions leave undefined: Intel SDM volume 2, "Flags Affected" of each. */
public final class UndefinedFlags {
  /** AND, OR, XOR, TEST. */
  public static final int LOGIC = AF;

  /** MUL, IMUL. */
  public static final int MULTIPLY = SF | ZF | AF | PF;

  /** DIV, IDIV. */
  public static final int DIVIDE = ARITHMETIC;

  /** BT, BTS, BTR, BTC. */
  public static final int BIT_TEST = OF | SF | AF | PF;

  /** BSF, BSR. */
  public static final int BIT_SCAN = CF | OF | SF | AF | PF;

  /** TZCNT, LZCNT. */
  public static final int ZERO_COUNT = OF | SF | AF | PF;

  /** ANDN, BLSI, BLSMSK, BLSR, BZHI. */
  public static final int BIT_MANIPULATION = AF | PF;

  /** BEXTR. */
  public static final int BIT_EXTRACT = SF | AF | PF;

  private UndefinedFlags() {}

  /**
   * RCL/RCR/ROL/ROR, and SAL/SAR/SHL/SHR.
   *
   * @param extension the operation in its encoding
   * @param count as encoded, 0 to 255
   */
  public static int shift(int extension, int count, int size) {
    int masked = count & (size == 8 ? 63 : 31);
    if (masked == 0) {
      return 0;
    }
    int undefined = masked == 1 ? 0 : OF;
    if (extension < 4) {
      return undefined;
    }
    boolean carryLost = extension != 7 && masked >= 8 * size;
    return undefined | AF | (carryLost ? CF : 0);
  }

  /** SHLD, SHRD; a count beyond the operand leaves the result undefined too. */
  public static int doubleShift(int count, int size) {
    int masked = count & (size == 8 ? 63 : 31);
    if (masked == 0) {
      return 0;
    }
    return masked > 8 * size ? ARITHMETIC : AF | (masked == 1 ? 0 : OF);
  }
}
