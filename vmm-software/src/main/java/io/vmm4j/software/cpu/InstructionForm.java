package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.software.cpu.InstructionRow.Attribute;
import io.vmm4j.software.system.Cpuid;
import org.jspecify.annotations.Nullable;

/**
 * A row of the instruction table: an encoding, and what is known of every instruction that has it.
 * {@link InstructionRows} says what its words mean.
 */
public final class InstructionForm {
  private static final int ONE_ONLY = 2;
  private static final int ZERO_OR_ONE = 3;

  /** The mnemonic, a constant of {@link Mnemonic}. */
  public final int mnemonic;

  /** What executes it. */
  public final Executor executor;

  /** What executes the mnemonic without VEX; the same as {@link #executor} for all others. */
  public final Executor family;

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

  /**
   * The flags that the manual leaves undefined after it. Here they may be as they were, or whatever
   * processors make of them.
   */
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

  /** Its opcode: see {@link Instruction#opcode}. */
  final int opcode;

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
  private final boolean needsVectorIndex;
  private final int lengths;
  private final int widths;
  private final boolean isIntel;
  private final boolean scalesMemory;
  private final boolean scalesResult;
  private final @Nullable CpuFeature feature;
  private final @Nullable CpuFeature wideFeature;

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

  /** The form of a row, for one opcode of its range. */
  InstructionForm(InstructionRow row, int opcode) {
    this.opcode = opcode;
    isVex = row.isVex;
    prefixes = row.prefixes;
    extensions = row.extensions;
    modrm = row.modrm;
    modes = row.modes;
    hasModrm = row.hasModrm;
    ignoresMod = row.ignoresMod();
    mnemonic = row.mnemonic;
    family = MnemonicTable.executor(mnemonic);
    executor = isVex && family.isSse() ? Executor.AVX : family;
    text = row.operands;
    first = row.places[0];
    second = row.places[1];
    third = row.places[2];
    hasMmxOperand = first.isMmx() || second.isMmx();
    segment = row.segment;
    immediate = row.immediate;
    memoryBytes = row.memoryBytes;
    isByte = row.has(Attribute.BYTE);
    isStackSized = row.has(Attribute.STACK);
    usesStack = isStackSized || row.has(Attribute.SP);
    accessesImplicitMemory =
        first.isImplicitMemory()
            || second.isImplicitMemory()
            || usesStack
            || row.has(Attribute.MEMORY);
    accessesOperand = !row.has(Attribute.NOACCESS);
    mayFault = row.has(Attribute.FAULTS) || executor.mayFault();
    endsBlock = executor.endsBlock;
    isPrivileged = row.has(Attribute.CPL0);
    allowsLock = row.has(Attribute.LOCK);
    isInvalidIn64 = row.has(Attribute.I64);
    isLegacy = row.has(Attribute.LEGACY);
    isLong = row.has(Attribute.LONG);
    needsRexB = row.has(Attribute.REXB);
    needsNoVexRegister = isVex && !first.isInVex() && !second.isInVex() && !third.isInVex();
    needsVectorIndex = row.has(Attribute.VSIB);
    lengths = allowed(row.has(Attribute.L0), row.has(Attribute.L1));
    widths = allowed(row.has(Attribute.W0), row.has(Attribute.W1));
    scalesMemory = row.scalesMemory;
    scalesResult = row.scalesResult;
    isIntel = row.has(Attribute.INTEL);
    feature = row.feature;
    wideFeature = row.wideFeature;
    String flags = row.flags == null ? MnemonicTable.flags(mnemonic) : row.flags;
    flagsRead = MnemonicTable.mask(flags, "TXx") | flagsOfCondition();
    flagsWritten = MnemonicTable.mask(flags, "MXmx01");
    flagsUndefined = MnemonicTable.mask(flags, "Uu");
    flagsKept = MnemonicTable.mask(flags, "mxu");
  }

  /** Which of the values 0 and 1 of a bit are allowed, as bits. */
  private static int allowed(boolean zero, boolean one) {
    return zero ? 1 : one ? ONE_ONLY : ZERO_OR_ONE;
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
      case InstructionRow.OPERAND_SIZE -> in.operandSize;
      case InstructionRow.BY_REX_W -> in.rexW ? 8 : 4;
      default -> scalesMemory && in.vexL ? 2 * memoryBytes : memoryBytes;
    };
  }

  /** Whether an immediate of one byte follows. */
  public boolean hasImmediateByte() {
    return immediate == Immediate.BYTE;
  }

  /** Whether an operand is in a place. */
  public boolean hasOperand(OperandPlace place) {
    return first == place || second == place || third == place;
  }

  /** VEX.L of an instruction, clear where it says nothing. */
  public boolean vexL(Instruction in) {
    return in.vexL && (lengths == ONE_ONLY || scalesResult || scalesMemory);
  }

  /** VEX.W of an instruction, clear where it says nothing. */
  public boolean vexW(Instruction in) {
    return widths != ZERO_OR_ONE ? in.vexW : in.rexW && (text.contains("y") || hasLengths());
  }

  /** Whether RAX and RDX, or EAX and EDX, are the lengths of its operands. */
  private boolean hasLengths() {
    return mnemonic == Mnemonic.PCMPESTRM || mnemonic == Mnemonic.PCMPESTRI;
  }

  /** Whether the result of an instruction has 256 bits. */
  public boolean isWide(Instruction in) {
    return scalesResult && in.vexL;
  }

  /**
   * The same as {@link #operandBytes} for those that always have the same size, or without VEX.L.
   */
  public int fixedOperandBytes() {
    return Math.max(memoryBytes, 0);
  }

  // ---- which instructions have it ----

  /** Whether an instruction has this encoding, whatever the processor is. */
  boolean fits(InstructionBuilder in) {
    return (prefixes >> in.mandatoryPrefix & 1) != 0
        && (modes & (in.isMemory ? InstructionRow.IN_MEMORY : InstructionRow.IN_REGISTER)) != 0
        && (extensions >> (in.modrm >> 3 & 7) & 1) != 0
        && (modrm < 0 || modrm == in.modrm)
        && !(in.codeSize == 8 ? isLegacy : isLong)
        && (!needsRexB || in.rm >= 8)
        && (!isVex || fitsVex(in));
  }

  private boolean fitsVex(InstructionBuilder in) {
    return (!needsNoVexRegister || in.vexRegister == 0)
        && (!needsVectorIndex || in.vectorIndex >= 0)
        && (lengths >> (in.vexL ? 1 : 0) & 1) != 0
        && (widths >> (in.vexW ? 1 : 0) & 1) != 0;
  }

  /** Whether a processor lacks it. */
  boolean isMissing(InstructionBuilder in, Cpuid cpuid) {
    return feature != null && !cpuid.has(feature)
        || in.vexL && wideFeature != null && !cpuid.has(wideFeature)
        || isIntel && cpuid.isAmd();
  }

  /** Whether the manual says #UD for the mode and LOCK. */
  boolean isForbidden(InstructionBuilder in) {
    return in.lock && !(in.isMemory && allowsLock) || isInvalidIn64 && in.codeSize == 8;
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
}
