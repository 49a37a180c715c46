package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import org.jspecify.annotations.Nullable;

/** Reads rows of {@link InstructionRows}, one after another, into its fields. */
final class InstructionRow {
  static final int IN_MEMORY = 1;
  static final int IN_REGISTER = 2;

  /** The operand has as many bytes as the operand size. */
  static final int OPERAND_SIZE = -1;

  /** The operand has 8 bytes with REX.W, else 4. */
  static final int BY_REX_W = -2;

  /** Words at the end of a row. */
  enum Attribute {
    BYTE,
    STACK,
    SP,
    MEMORY,
    NOACCESS,
    FAULTS,
    LOCK,
    CPL0,
    I64,
    LEGACY,
    LONG,
    REXB,
    L0,
    L1,
    W0,
    W1,
    VSIB,
    INTEL
  }

  private static final int ALL_EXTENSIONS = 0xFF;
  private static final int ALL_PREFIXES = 0xF;
  private static final int PREFIX_LENGTH = 6; // of cpuid= and flags=
  private static final int YMM_LENGTH = 4; // of ymm=

  private final TableText text;

  // The encoding.
  boolean isVex;
  int prefixes;
  int opcode;
  int lastOpcode;
  int extensions;
  int modrm;
  int modes;
  boolean hasModrm;

  int mnemonic;

  // The operands.
  String operands = "";
  final OperandPlace[] places = new OperandPlace[4];
  InstructionForm.Immediate immediate = InstructionForm.Immediate.NONE;
  int memoryBytes;

  /** Whether the operand in memory has twice as many bytes with VEX.L. */
  boolean scalesMemory;

  /** Whether the destination has 256 bits with VEX.L. */
  boolean scalesResult;

  int segment;

  // The attributes.
  private int attributes;
  @Nullable CpuFeature feature;

  /** The feature that 256 bits need besides. */
  @Nullable CpuFeature wideFeature;

  @Nullable String flags;

  InstructionRow(String rows) {
    text = new TableText(rows);
  }

  /** Reads the next row; false if there is none. */
  boolean next() {
    if (!text.nextLine()) {
      return false;
    }
    readEncoding(text.requiredWord());
    mnemonic = MnemonicTable.number(text.requiredWord());
    readOperands(text.requiredWord());
    attributes = 0;
    feature = null;
    wideFeature = null;
    flags = null;
    for (String word = text.word(); word != null; word = text.word()) {
      readAttribute(word);
    }
    return true;
  }

  boolean has(Attribute attribute) {
    return (attributes >> attribute.ordinal() & 1) != 0;
  }

  /** Whether the register is taken for that in ModRM.rm whatever ModRM.mod is. */
  boolean ignoresMod() {
    return (operands.startsWith("R") || operands.endsWith("Ry"))
        && modes == (IN_MEMORY | IN_REGISTER);
  }

  // ---- the encoding ----

  private void readEncoding(String word) {
    prefixes = ALL_PREFIXES;
    extensions = ALL_EXTENSIONS;
    modrm = -1;
    modes = IN_MEMORY | IN_REGISTER;
    hasModrm = false;
    int end = word.length();
    char last = word.charAt(end - 1);
    if (last == 'm' || last == 'r') {
      modes = last == 'm' ? IN_MEMORY : IN_REGISTER;
      hasModrm = true;
      end--;
    }
    isVex = word.startsWith("VEX.");
    int begin = isVex ? 4 : 0;
    int range = -1;
    int opcodeEnd = end;
    for (int i = begin; i < end; i++) {
      switch (word.charAt(i)) {
        case '.' -> {
          prefixes = prefixes(word.substring(begin, i));
          begin = i + 1;
        }
        case '-' -> range = i;
        case '/' -> {
          int to = end > i + 2 ? word.charAt(i + 3) : word.charAt(i + 1);
          extensions = (2 << to - '0') - (1 << word.charAt(i + 1) - '0');
          hasModrm = true;
          opcodeEnd = i;
          end = i;
        }
        case ':' -> {
          modrm = hexadecimal(word, i + 1);
          modes = IN_REGISTER;
          hasModrm = true;
          opcodeEnd = i;
          end = i;
        }
        default -> {}
      }
    }
    int firstEnd = range < 0 ? opcodeEnd : range;
    int digits = firstEnd - begin;
    int map = digits == 2 ? 0 : digits == 4 ? 1 : word.charAt(begin + 3) == '8' ? 2 : 3;
    opcode = map << 8 | hexadecimal(word, firstEnd - 2);
    lastOpcode = range < 0 ? opcode : map << 8 | hexadecimal(word, range + 1);
  }

  private static int hexadecimal(String word, int at) {
    return Character.digit(word.charAt(at), 16) << 4 | Character.digit(word.charAt(at + 1), 16);
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

  // ---- the operands ----

  private void readOperands(String word) {
    operands = word;
    immediate = InstructionForm.Immediate.NONE;
    memoryBytes = 0;
    segment = -1;
    places[0] = OperandPlace.NONE;
    places[1] = OperandPlace.NONE;
    places[2] = OperandPlace.NONE;
    places[3] = OperandPlace.NONE;
    scalesMemory = false;
    scalesResult = false;
    if (word.equals("-")) {
      return;
    }
    int begin = 0;
    for (int i = 0; begin < word.length(); i++) {
      int end = word.indexOf(',', begin);
      if (end < 0) {
        end = word.length();
      }
      readOperand(i, word, begin, end);
      begin = end + 1;
    }
  }

  private void readOperand(int number, String word, int begin, int end) {
    char size = end > begin + 1 ? word.charAt(begin + 1) : ' ';
    // The size is a small letter; registers by name are "1", "rAX", and two capital letters.
    boolean isName = size >= 'A' && size <= 'Z' || word.charAt(begin) == '1';
    OperandPlace place =
        isName
            ? OperandPlace.byName(word.substring(begin, end))
            : OperandPlace.byLetter(word.charAt(begin));
    places[number] = place;
    scalesResult |= isVex && number == 0 && size == 'x';
    hasModrm |= place.isInModrm();
    switch (place) {
      case RM, XMM_RM, MMX_RM -> {
        memoryBytes = bytes(size);
        scalesMemory = isVex && "xhfe".indexOf(size) >= 0;
      }
      case IMMEDIATE_XMM -> immediate = InstructionForm.Immediate.BYTE;
      case FIXED_SEGMENT -> segment = "ECSDFG".indexOf(word.charAt(begin));
      case OFFSET -> immediate = InstructionForm.Immediate.OFFSET;
      case FAR_POINTER -> immediate = InstructionForm.Immediate.FAR;
      case IMMEDIATE, RELATIVE ->
          immediate =
              immediate == InstructionForm.Immediate.WORD
                  ? InstructionForm.Immediate.ENTER
                  : immediate(size);
      default -> {}
    }
  }

  private static InstructionForm.Immediate immediate(char size) {
    return switch (size) {
      case 'b' -> InstructionForm.Immediate.BYTE;
      case 'w' -> InstructionForm.Immediate.WORD;
      case 'z' -> InstructionForm.Immediate.Z;
      default -> InstructionForm.Immediate.V;
    };
  }

  private static int bytes(char size) {
    return switch (size) {
      case 'b' -> 1;
      case 'w', 'e' -> 2;
      case 'd', 'f' -> 4;
      case 'q', 'h' -> 8;
      case 't' -> 10;
      case 'x', 'o' -> 16;
      case 'v', 'z' -> OPERAND_SIZE;
      case 'y' -> BY_REX_W;
      default -> 0;
    };
  }

  // ---- the attributes ----

  private void readAttribute(String word) {
    if (word.startsWith("cpuid=")) {
      feature = feature(word.substring(PREFIX_LENGTH));
    } else if (word.startsWith("ymm=")) {
      wideFeature = feature(word.substring(YMM_LENGTH));
    } else if (word.startsWith("flags=")) {
      flags = word.substring(PREFIX_LENGTH);
    } else {
      attributes |= 1 << attribute(word).ordinal();
    }
  }

  private static CpuFeature feature(String name) {
    for (CpuFeature feature : CpuFeature.values()) {
      if (feature.name().equals(name)) {
        return feature;
      }
    }
    throw new IllegalStateException("no such feature: " + name);
  }

  private static Attribute attribute(String word) {
    return switch (word) {
      case "byte" -> Attribute.BYTE;
      case "stack" -> Attribute.STACK;
      case "sp" -> Attribute.SP;
      case "memory" -> Attribute.MEMORY;
      case "noaccess" -> Attribute.NOACCESS;
      case "faults" -> Attribute.FAULTS;
      case "lock" -> Attribute.LOCK;
      case "cpl0" -> Attribute.CPL0;
      case "i64" -> Attribute.I64;
      case "legacy" -> Attribute.LEGACY;
      case "long" -> Attribute.LONG;
      case "rexb" -> Attribute.REXB;
      case "l0" -> Attribute.L0;
      case "l1" -> Attribute.L1;
      case "w0" -> Attribute.W0;
      case "w1" -> Attribute.W1;
      case "vsib" -> Attribute.VSIB;
      case "intel" -> Attribute.INTEL;
      default -> throw new IllegalStateException("no such attribute: " + word);
    };
  }
}
