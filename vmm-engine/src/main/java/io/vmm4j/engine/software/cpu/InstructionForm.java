package io.vmm4j.engine.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.engine.software.system.Cpuid;
import java.util.StringTokenizer;
import org.jspecify.annotations.Nullable;

/**
 * A row of the instruction table: an encoding, and what is known of every instruction that has it.
 * {@link InstructionRows} says what its words mean.
 */
public final class InstructionForm {
  private static final int OPERAND_SIZE = -1;
  private static final int BY_REX_W = -2;
  private static final int IN_MEMORY = 1;
  private static final int IN_REGISTER = 2;
  private static final int ALL_EXTENSIONS = 0xFF;
  private static final int ALL_PREFIXES = 0xF;

  /** The mnemonic, a constant of {@link Mnemonic}. */
  public final int mnemonic;

  /** What executes it. */
  public final Executor executor;

  /** The destination, or the only operand. */
  public final OperandPlace first;

  /** The source. */
  public final OperandPlace second;

  /** A third operand. */
  public final OperandPlace third;

  /** Whether an operand is an MMX register, or may be one. */
  public final boolean hasMmxOperand;

  /** The segment register of {@link OperandPlace#FIXED_SEGMENT}, {@link Cpu#ES} to GS, or -1. */
  public final int segment;

  /** The flags whose values it depends on, as bits of EFLAGS: the arithmetic ones and DF. */
  public final int flagsRead;

  /** The flags that it gives a value. */
  public final int flagsWritten;

  /** The flags that the manual leaves undefined after it. */
  public final int flagsUndefined;

  /** Those of the written and undefined flags that it leaves as they are for a count of zero. */
  public final int flagsKept;

  /** Whether it pushes or pops. */
  public final boolean usesStack;

  /** Whether it accesses memory that is not its ModRM operand. */
  public final boolean accessesImplicitMemory;

  /** Whether it accesses its ModRM operand if that is in memory: LEA does not. */
  public final boolean accessesOperand;

  /** Whether it may fault though it accesses no memory. */
  public final boolean mayFault;

  /** Whether it ends a block. */
  public final boolean endsBlock;

  /** Whether it is #GP or #UD at another level than 0. */
  public final boolean isPrivileged;

  /** Whether LOCK is allowed where its destination is in memory. */
  public final boolean allowsLock;

  /** Whether its operand size is 1. */
  final boolean isByte;

  /** Whether its operand size in 64-bit mode is 64 bits, 16 with 66. */
  final boolean isStackSized;

  /** The first opcode with this encoding: see {@link Instruction#opcode}. */
  final int opcode;

  /** The last one. */
  final int lastOpcode;

  final boolean isVex;
  final boolean hasModrm;

  /** Whether ModRM.mod does not matter, and ModRM.rm is a register. */
  final boolean ignoresMod;

  final Immediate immediate;

  private final String text;
  private final int memoryBytes;
  private final int prefixes;
  private final int extensions;
  private final int modrm;
  private final int modes;
  private final boolean isLegacy;
  private final boolean isLong;
  private final boolean isInvalidIn64;
  private final boolean needsRexB;
  private final boolean needsNoVexRegister;
  private final boolean isIntel;
  private final @Nullable CpuFeature feature;

  /** The immediate that an encoding has. */
  enum Immediate {
    NONE,
    /** 8 bits. */
    BYTE,
    /** 16 bits. */
    WORD,
    /** 16 or 32 bits by operand size. */
    Z,
    /** 16, 32 or 64 bits. */
    V,
    /** An address. */
    OFFSET,
    /** A far pointer. */
    FAR,
    /** 16 and 8 bits. */
    ENTER
  }

  /** A row, and the opcode from its range, or -1 for the first of it. */
  InstructionForm(String row, int fromRange) {
    StringTokenizer words = new StringTokenizer(row);
    Encoding encoding = new Encoding(words.nextToken());
    opcode = fromRange >= 0 ? fromRange : encoding.opcode;
    lastOpcode = encoding.lastOpcode;
    isVex = encoding.vex;
    prefixes = encoding.prefixes;
    extensions = encoding.extensions;
    modrm = encoding.modrm;
    modes = encoding.modes;
    mnemonic = MnemonicTable.number(words.nextToken());
    executor = MnemonicTable.executor(mnemonic);
    text = words.nextToken();
    StringTokenizer operands = new StringTokenizer(text.equals("-") ? "" : text, ",");
    OperandPlace[] places = {OperandPlace.NONE, OperandPlace.NONE, OperandPlace.NONE};
    Immediate found = Immediate.NONE;
    boolean byModrm = encoding.givesModrm;
    boolean implicit = false;
    int fixed = -1;
    int bytes = 0;
    for (int i = 0; operands.hasMoreTokens(); i++) {
      String operand = operands.nextToken();
      places[i] = OperandPlace.of(operand);
      byModrm |= places[i].isInModrm();
      implicit |= places[i].isImplicitMemory();
      found = immediate(found, places[i], operand);
      if (places[i].isModrmRm()) {
        bytes = bytes(operand);
      } else if (places[i] == OperandPlace.FIXED_SEGMENT) {
        fixed = "ECSDFG".indexOf(operand.charAt(0));
      }
    }
    first = places[0];
    second = places[1];
    third = places[2];
    hasMmxOperand = first.isMmx() || second.isMmx();
    hasModrm = byModrm;
    ignoresMod = text.indexOf('R') >= 0 && modes == (IN_MEMORY | IN_REGISTER);
    immediate = found;
    segment = fixed;
    memoryBytes = bytes;
    String attributes = words.hasMoreTokens() ? words.nextToken("").strip() : "";
    Attributes a = new Attributes(attributes);
    isByte = a.has("byte");
    isStackSized = a.has("stack");
    usesStack = isStackSized || a.has("sp");
    accessesImplicitMemory = implicit || usesStack || a.has("memory");
    accessesOperand = !a.has("noaccess");
    mayFault = a.has("faults") || executor.mayFault();
    endsBlock = executor.endsBlock;
    isPrivileged = a.has("cpl0");
    allowsLock = a.has("lock");
    isInvalidIn64 = a.has("i64");
    isLegacy = a.has("legacy");
    isLong = a.has("long");
    needsRexB = a.has("rexb");
    needsNoVexRegister = a.has("novvvv");
    isIntel = a.has("intel");
    String cpuid = a.value("cpuid=");
    feature = cpuid == null ? null : CpuFeature.valueOf(cpuid);
    String own = a.value("flags=");
    String flags = own == null ? MnemonicTable.flags(mnemonic) : own;
    flagsRead = MnemonicTable.mask(flags, "TXx") | flagsOfCondition();
    flagsWritten = MnemonicTable.mask(flags, "MXmx01");
    flagsUndefined = MnemonicTable.mask(flags, "Uu");
    flagsKept = MnemonicTable.mask(flags, "mxu");
  }

  /** The name of its mnemonic. */
  public String name() {
    String name = MnemonicTable.name(mnemonic);
    return name == null ? "" : name;
  }

  /** Its operands in the manual's letters, or "-". */
  public String operands() {
    return text;
  }

  /**
   * How many bytes its ModRM operand has in memory; 0 for those whose size is not that of a number:
   * far pointers, descriptor tables, saved states.
   */
  public int operandBytes(Instruction in) {
    return switch (memoryBytes) {
      case OPERAND_SIZE -> in.operandSize;
      case BY_REX_W -> in.rexW ? 8 : 4;
      default -> memoryBytes;
    };
  }

  /** The same, for those that always have the same size. */
  public int fixedOperandBytes() {
    return Math.max(memoryBytes, 0);
  }

  // ---- which instructions have it ----

  /** Whether an instruction has this encoding, whatever the processor is. */
  boolean fits(InstructionBuilder in) {
    return (prefixes >> in.mandatoryPrefix & 1) != 0
        && (modes & (in.isMemory ? IN_MEMORY : IN_REGISTER)) != 0
        && (extensions >> (in.modrm >> 3 & 7) & 1) != 0
        && (modrm < 0 || modrm == in.modrm)
        && !(in.codeSize == 8 ? isLegacy : isLong)
        && (!needsRexB || in.rm >= 8)
        && (!needsNoVexRegister || in.vexRegister == 0);
  }

  /** Whether a processor lacks it. */
  boolean isMissing(Cpuid cpuid) {
    return feature != null && !cpuid.has(feature) || isIntel && cpuid.isAmd();
  }

  /** Whether the manual says #UD for the mode and LOCK. */
  boolean isForbidden(InstructionBuilder in) {
    return in.lock && !(in.isMemory && allowsLock) || isInvalidIn64 && in.codeSize == 8;
  }

  // ---- reading a row ----

  private static Immediate immediate(Immediate found, OperandPlace place, String operand) {
    return switch (place) {
      case IMMEDIATE, RELATIVE ->
          found == Immediate.WORD
              ? Immediate.ENTER
              : switch (operand.charAt(1)) {
                case 'b' -> Immediate.BYTE;
                case 'w' -> Immediate.WORD;
                case 'z' -> Immediate.Z;
                default -> Immediate.V;
              };
      case OFFSET -> Immediate.OFFSET;
      case FAR_POINTER -> Immediate.FAR;
      default -> found;
    };
  }

  private static int bytes(String operand) {
    return switch (operand.length() == 1 ? ' ' : operand.charAt(1)) {
      case 'b' -> 1;
      case 'w' -> 2;
      case 'd' -> 4;
      case 'q' -> 8;
      case 't' -> 10;
      case 'x' -> 16;
      case 'v', 'z' -> OPERAND_SIZE;
      case 'y' -> BY_REX_W;
      default -> 0;
    };
  }

  /** The flags that Jcc, SETcc and CMOVcc test. */
  private int flagsOfCondition() {
    if (mnemonic != Mnemonic.JCC && mnemonic != Mnemonic.SETCC && mnemonic != Mnemonic.CMOVCC) {
      return 0;
    }
    return switch (opcode >> 1 & 7) {
      case 0 -> Flags.OF;
      case 1 -> Flags.CF;
      case 2 -> Flags.ZF;
      case 3 -> Flags.CF | Flags.ZF;
      case 4 -> Flags.SF;
      case 5 -> Flags.PF;
      case 6 -> Flags.SF | Flags.OF;
      default -> Flags.ZF | Flags.SF | Flags.OF;
    };
  }

  /** The last words of a row. */
  private record Attributes(String words) {
    boolean has(String word) {
      int at = words.indexOf(word);
      return at >= 0
          && (at == 0 || words.charAt(at - 1) == ' ')
          && (at + word.length() == words.length() || words.charAt(at + word.length()) == ' ');
    }

    @Nullable String value(String key) {
      int at = words.indexOf(key);
      if (at < 0) {
        return null;
      }
      int end = words.indexOf(' ', at);
      return words.substring(at + key.length(), end < 0 ? words.length() : end);
    }
  }

  /** The first word of a row. */
  private static final class Encoding {
    boolean vex;
    int prefixes = ALL_PREFIXES;
    int opcode;
    int lastOpcode;
    int extensions = ALL_EXTENSIONS;
    int modrm = -1;
    int modes = IN_MEMORY | IN_REGISTER;
    boolean givesModrm;

    Encoding(String word) {
      int end = word.length();
      char last = word.charAt(end - 1);
      if (last == 'm' || last == 'r') {
        modes = last == 'm' ? IN_MEMORY : IN_REGISTER;
        givesModrm = true;
        end--;
      }
      int at = word.indexOf(':');
      if (at >= 0) {
        modrm = hexadecimal(word, at + 1, end);
        modes = IN_REGISTER;
        givesModrm = true;
        end = at;
      }
      at = word.indexOf('/');
      if (at >= 0) {
        int from = word.charAt(at + 1) - '0';
        int to = end > at + 2 ? word.charAt(at + 3) - '0' : from;
        extensions = (2 << to) - (1 << from);
        givesModrm = true;
        end = at;
      }
      int begin = 0;
      if (word.startsWith("VEX.")) {
        vex = true;
        begin = 4;
      }
      int point = word.indexOf('.', begin);
      if (point >= 0) {
        prefixes = prefixes(word.substring(begin, point));
        begin = point + 1;
      }
      opcodes(word, begin, end);
    }

    private static int hexadecimal(String word, int begin, int end) {
      return Integer.parseInt(word, begin, end, 16);
    }

    private static int prefixes(String word) {
      return switch (word) {
        case "NP" -> 1 << Instruction.PREFIX_NONE;
        case "66" -> 1 << Instruction.PREFIX_66;
        case "F3" -> 1 << Instruction.PREFIX_F3;
        case "F2" -> 1 << Instruction.PREFIX_F2;
        case "NP66" -> 1 << Instruction.PREFIX_NONE | 1 << Instruction.PREFIX_66;
        default -> throw new IllegalStateException("no such prefix: " + word);
      };
    }

    private void opcodes(String word, int begin, int end) {
      int range = word.indexOf('-', begin);
      int bytesEnd = range >= 0 && range < end ? range : end;
      int map =
          bytesEnd - begin == 2
              ? 0
              : !word.startsWith("0F3", begin) || bytesEnd - begin == 4
                  ? 1
                  : word.charAt(begin + 3) == '8' ? 2 : 3;
      opcode = map << 8 | hexadecimal(word, bytesEnd - 2, bytesEnd);
      lastOpcode = bytesEnd == end ? opcode : map << 8 | hexadecimal(word, range + 1, end);
    }
  }
}
