package io.vmm4j.engine.software.machinecode.verify;

import io.vmm4j.engine.software.machinecode.verify.CodeContract.Field;
import io.vmm4j.engine.software.machinecode.verify.CodeContract.Mode;
import io.vmm4j.engine.software.machinecode.verify.HostForm.Operand;
import org.jspecify.annotations.Nullable;

/**
 * What each instruction may do, and what is known after it. The steps of a check are known one by
 * one, in any order of others between them; what is no step of one is judged by its operands.
 */
final class CodeRules {
  static final int RAX = 0;
  static final int RDX = 2;
  private static final int RSP = 4;

  /** The register with an index into a table. */
  static final int INDEX = 11;

  /** The register with the base of the state block. */
  static final int BASE = 13;

  /** The register with the budget. */
  static final int BUDGET = 14;

  /** The register in which addresses are checked. */
  static final int ADDRESS = 15;

  static final int PAGE_BYTES = 0x1000;

  // Conditions (volume 1, appendix B).
  private static final int BELOW = 2;
  private static final int EQUAL = 4;
  private static final int NOT_EQUAL = 5;
  private static final int BELOW_OR_EQUAL = 6;
  private static final int ABOVE = 7;
  private static final int SIGN = 8;
  private static final int NO_SIGN = 9;

  /** Offsets from the base that fields can have. */
  private static final int FIELDS_BEGIN = -128;

  private static final int FIELDS_END = 128;

  /** What is not proven; without a stack, for {@link CodeVerifier} says where. */
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refused(String reason) {
      super(reason, null, false, false);
    }

    String reason() {
      return String.valueOf(getMessage());
    }
  }

  private final CodeContract contract;

  /** For each byte from {@link #FIELDS_BEGIN} on: the field it is in, from 1 on. */
  private final byte[] fieldAt = new byte[FIELDS_END - FIELDS_BEGIN];

  private Mode tables;
  private int instructions;

  CodeRules(CodeContract contract) {
    this.contract = contract;
    this.tables = contract.modes().getFirst();
    for (int i = 0; i < contract.fields().size(); i++) {
      Field f = contract.fields().get(i);
      for (int j = 0; j < f.bytes(); j++) {
        fieldAt[f.offset() + j - FIELDS_BEGIN] = (byte) (i + 1);
      }
    }
  }

  /** Begins a piece. */
  void begin(int mode, int blockInstructions) {
    tables = contract.modes().get(mode);
    instructions = blockInstructions;
  }

  private static Refused refused(String reason) {
    return new Refused(reason);
  }

  static void require(boolean proven, String otherwise) {
    if (!proven) {
      throw refused(otherwise);
    }
  }

  /** Takes an instruction that is no jump. */
  void apply(HostInstruction in, PathState s) {
    boolean pops = in.form.operation() == HostForm.Operation.POP;
    require(s.pushed == pops, "PUSH and POP of a page are not a pair");
    if (!isStep(in, s)) {
      general(in, s);
    }
  }

  /** Takes an instruction if it is a step of a check, or one that only such a step may be. */
  private boolean isStep(HostInstruction in, PathState s) {
    return switch (in.form.operation()) {
      case ADD -> add(in, s);
      case SUB -> subtract(in, s);
      case CMP -> compare(in, s);
      case TEST -> test(in, s);
      case MOV -> move(in, s);
      case LEA -> loadAddress(in, s);
      case AND -> and(in, s);
      case SHL -> shiftLeft(in, s);
      case SHR -> shiftRight(in, s);
      case SAR -> shiftSigned(in, s);
      case DIV -> divide(in, s, false);
      case IDIV -> divide(in, s, true);
      case PUSH -> push(in, s);
      case POP -> pop(in, s);
      default -> false;
    };
  }

  // ---- the check of an address ----

  /** Whether the operand is an element of the entry of R11 in a table. */
  private boolean isEntry(
      HostInstruction in, PathState s, CodeContract.Table table, int tableAt, int element) {
    return in.isAt(BASE, INDEX)
        && in.displacement == tableAt + element
        && s.index == PathState.INDEX_PART
        && table.isEntry(s.shift, s.mask, s.left);
  }

  private boolean isData(HostInstruction in, PathState s, int element) {
    return isEntry(in, s, contract.data(), tables.data(), element);
  }

  private boolean isPage(HostInstruction in, PathState s, int element) {
    return isEntry(in, s, contract.pages(), tables.pages(), element);
  }

  /** Whether R15 becomes what it and 8 bytes of memory give. */
  private static boolean intoAddress(HostInstruction in) {
    Operand reg = in.form.reg();
    return in.memory && in.regIs(ADDRESS) && in.operandSize == 8 && reg != null && reg.writes();
  }

  private boolean subtract(HostInstruction in, PathState s) {
    if (isBudget(in)) {
      require(s.budget == PathState.NOT_TAKEN, "the budget is taken twice");
      require(in.immediate == instructions, "another budget is taken than the block needs");
      s.budget = PathState.TAKEN;
      s.flags = PathState.FLAGS_BUDGET;
      return true;
    }
    if (!intoAddress(in) || !in.isAt(BASE, INDEX)) {
      return false;
    }
    require(s.indexOfAddress && s.isPlain(), "the entry is not that of the address in R15");
    if (isData(in, s, contract.readTag())) {
      s.step(PathState.TAGGED, false, 0);
    } else if (isData(in, s, contract.writeTag())) {
      s.step(PathState.TAGGED, true, 0);
    } else {
      require(isPage(in, s, contract.pageTag()), "this is no tag of a table of this mode");
      s.step(PathState.PAGE_TAGGED, false, 0);
    }
    return true;
  }

  private boolean add(HostInstruction in, PathState s) {
    if (isBudget(in)) {
      require(s.budget == PathState.EXHAUSTED, "the budget is given back without need");
      require(in.immediate == instructions, "another budget is given back than was taken");
      s.budget = PathState.GIVEN_BACK;
      s.flags = PathState.FLAGS_ANY;
      return true;
    }
    if (!intoAddress(in)) {
      return false;
    }
    if (in.isAt(BASE) && in.displacement == contract.codeBase()) {
      require(s.is(PathState.CODE_OFFSET), "R15 is not the offset of code");
      s.step(PathState.CODE, false, 0);
      return true;
    }
    if (!in.isAt(BASE, INDEX)) {
      return false;
    }
    if (isData(in, s, contract.hostPage())) {
      require(s.is(PathState.OFFSET), "R15 is not an offset into the page of R11's entry");
      s.step(PathState.HOST, PathState.isWritable(s.address), PathState.bytes(s.address));
    } else {
      require(isPage(in, s, contract.pageTable()), "this is no page of a table of this mode");
      require(s.is(PathState.SLOT_OFFSET), "R15 is not an offset into the table of R11's entry");
      s.step(PathState.SLOT, false, 0);
    }
    return true;
  }

  private boolean compare(HostInstruction in, PathState s) {
    if (in.isAt(BASE, INDEX) && in.regIs(ADDRESS) && in.operandSize == 8) {
      require(
          isPage(in, s, contract.pageTag()) || isPage(in, s, contract.pageTable()),
          "this is no entry of a table of this mode");
      require(!PathState.isSecret(s.address), "a value of the host is read");
      s.flags = PathState.FLAGS_ANY;
      return true;
    }
    if (in.memory) {
      return false;
    }
    general(in, s);
    int size = in.operandSize;
    if (in.form.immediate() != null) {
      if (in.rmIs(ADDRESS) && size >= 4) {
        flags(s, PathState.FLAGS_COMPARE, size, in.immediate);
      }
    } else if (isPair(in, RDX, INDEX) && size >= 4) {
      flags(s, PathState.FLAGS_HIGH, size, 0);
    } else if (isPair(in, ADDRESS, RDX)
        && size >= 4
        && s.is(PathState.SIGN)
        && PathState.bytes(s.address) == size) {
      flags(s, PathState.FLAGS_SIGN, size, 0);
    }
    return true;
  }

  /** Whether a comparison of registers is of these two, in this order. */
  private static boolean isPair(HostInstruction in, int first, int second) {
    // The first operand is ModRM.reg in opcodes 3A and 3B, whose low bits are 10 and 11.
    boolean regFirst = (in.condition & 2) != 0;
    return regFirst ? in.regIs(first) && in.rmIs(second) : in.rmIs(first) && in.regIs(second);
  }

  private static void flags(PathState s, int flags, int size, long value) {
    s.flags = flags;
    s.flagsSize = size;
    s.flagsValue = value;
  }

  private boolean test(HostInstruction in, PathState s) {
    if (in.memory || !in.rmIs(ADDRESS)) {
      return false;
    }
    if (in.form.immediate() != null) {
      general(in, s);
      flags(s, PathState.FLAGS_BITS, 0, in.immediate);
      return true;
    }
    if (in.regIs(ADDRESS) && s.is(PathState.CODE_OR_ZERO) && in.operandSize >= 4) {
      flags(s, PathState.FLAGS_ZERO, 0, 0);
      return true;
    }
    return false;
  }

  private boolean move(HostInstruction in, PathState s) {
    int size = in.operandSize;
    if (in.isAt(BASE) && in.form.immediate() != null && in.displacement == contract.exit()) {
      require(size == 4 && isFull(in.form.rm()), "the reason of an exit is a word of 4 bytes");
      s.exit = in.immediate & 0xFFFF_FFFFL;
      return true;
    }
    if (!isFull(in.form.reg()) || size < 4) {
      return false;
    }
    boolean loads = in.form.reg() != null && in.form.reg().writes();
    if (!in.memory) {
      int to = loads ? in.reg : in.rm;
      int from = loads ? in.rm : in.reg;
      if (to == INDEX && from == ADDRESS) {
        read(s, ADDRESS, size);
        s.indexIs(PathState.INDEX_COPY);
        s.indexOfAddress = true;
        return true;
      }
      if (to == ADDRESS && from == RAX) {
        s.addressWritten(PathState.value(PathState.ACCUMULATOR, false, size));
        return true;
      }
      return false;
    }
    if (!in.regIs(ADDRESS)) {
      return false;
    }
    if (loads && in.isAt(ADDRESS) && s.is(PathState.SLOT)) {
      require(size == 4 && in.displacement == 0, "an element of a table has 4 bytes");
      s.step(PathState.CODE_OR_ZERO, false, 0);
      return true;
    }
    if (size == 8 && in.isAt(BASE) && in.displacement == contract.temporary()) {
      return keep(s, loads);
    }
    return false;
  }

  /** R15 and the temporary are the one or the other's value. */
  private static boolean keep(PathState s, boolean loads) {
    if (loads && PathState.kind(s.kept) == PathState.HOST) {
      s.addressWritten(s.kept);
      return true;
    }
    if (!loads && s.is(PathState.HOST)) {
      require(s.budget == PathState.REACHED, "the block's instructions are not paid yet");
      s.kept = s.address;
      s.keptSeen = 0;
      return true;
    }
    return false;
  }

  private static boolean isFull(@Nullable Operand o) {
    return o != null && o.size() == 'v';
  }

  private boolean loadAddress(HostInstruction in, PathState s) {
    if (in.regIs(ADDRESS) && in.operandSize >= 4 && in.isAt(INDEX) && in.displacement == 1) {
      read(s, INDEX, in.operandSize);
      s.addressWritten(PathState.value(PathState.PLUS_ONE, false, in.operandSize));
      return true;
    }
    return false;
  }

  private static boolean isShift(HostInstruction in, int register) {
    return in.rmIs(register)
        && in.form.immediate() != null
        && isFull(in.form.rm())
        && in.operandSize >= 4;
  }

  private boolean shiftRight(HostInstruction in, PathState s) {
    if (!isShift(in, INDEX) || s.index != PathState.INDEX_COPY || in.immediate >>> 5 != 0) {
      return false;
    }
    s.indexIs(PathState.INDEX_PART);
    s.shift = (int) in.immediate;
    s.mask = -1;
    s.left = 0;
    s.flags = PathState.FLAGS_ANY;
    return true;
  }

  private boolean and(HostInstruction in, PathState s) {
    if (!isShift(in, INDEX) || s.index != PathState.INDEX_PART || s.left != 0) {
      return false;
    }
    // The mask has no bits that a shift of 32 bits would have lost.
    long mask = s.mask & in.immediate & (in.operandSize == 4 ? 0xFFFF_FFFFL : -1);
    if ((mask << s.shift & 0xFFFF_FFFFL) >>> s.shift != mask) {
      return false;
    }
    s.indexIs(PathState.INDEX_PART);
    s.mask = mask;
    s.flags = PathState.FLAGS_ANY;
    return true;
  }

  private boolean shiftLeft(HostInstruction in, PathState s) {
    if (isShift(in, ADDRESS) && s.is(PathState.PAGE_OFFSET) && in.immediate == 2) {
      s.step(PathState.SLOT_OFFSET, false, 0);
      return true;
    }
    if (!isShift(in, INDEX)
        || s.index != PathState.INDEX_PART
        || s.mask >>> 16 != 0
        || in.immediate >>> 4 != 0
        || s.left + in.immediate > 15) {
      return false;
    }
    s.indexIs(PathState.INDEX_PART);
    s.left += (int) in.immediate;
    s.flags = PathState.FLAGS_ANY;
    return true;
  }

  // ---- divisions ----

  private boolean shiftSigned(HostInstruction in, PathState s) {
    int size = in.operandSize;
    if (isShift(in, ADDRESS)
        && s.address == PathState.value(PathState.ACCUMULATOR, false, size)
        && in.immediate == 8 * size - 1) {
      s.addressWritten(PathState.value(PathState.SIGN, false, size));
      s.flags = PathState.FLAGS_ANY;
      return true;
    }
    return false;
  }

  /**
   * #DE is excluded where the high half is below the divisor (DIV), or where the dividend is the
   * sign extension of its low half and the divisor is neither 0 nor -1 (IDIV).
   */
  private boolean divide(HostInstruction in, PathState s, boolean signed) {
    int size = in.operandSize;
    require(in.rmIs(INDEX), "a divisor has to be in R11");
    require(
        signed ? s.extended == size && s.ordinary == size : s.below == size,
        "the division could fault");
    return false;
  }

  // ---- the budget, the page ----

  private static boolean isBudget(HostInstruction in) {
    return in.rmIs(BUDGET)
        && in.form.immediate() != null
        && isFull(in.form.rm())
        && in.operandSize == 4;
  }

  private boolean push(HostInstruction in, PathState s) {
    require(
        isPage(in, s, contract.pageTag())
            && s.indexOfAddress
            && (s.is(PathState.CODE_OFFSET) || s.is(PathState.CODE)),
        "what is pushed is not the page of the code in R15");
    s.pushed = true;
    return true;
  }

  private boolean pop(HostInstruction in, PathState s) {
    require(
        in.isAt(BASE) && in.displacement == contract.pageRip(),
        "a page is popped to another place");
    s.pushed = false;
    s.moved = true;
    return true;
  }

  // ---- any other instruction ----

  private void general(HostInstruction in, PathState s) {
    HostForm form = in.form;
    Operand rm = form.rm();
    if (rm != null && in.memory) {
      memory(in, rm, s);
    } else if (rm != null) {
      use(in, rm, in.rm, s);
    }
    if (form.reg() != null) {
      use(in, form.reg(), in.reg, s);
    }
    if (form.low() != null) {
      use(in, form.low(), in.low, s);
    }
    if (form.accumulator() != null && form.accumulator().writes() || form.writes() != 0) {
      guestChanges(s);
    }
    // All have been read before the first is written.
    if (rm != null && !in.memory) {
      written(in, rm, in.rm, s);
    }
    if (form.reg() != null) {
      written(in, form.reg(), in.reg, s);
    }
    if (form.low() != null) {
      written(in, form.low(), in.low, s);
    }
    if (form.accumulator() != null && form.accumulator().writes()) {
      s.written(RAX, in.bytes(form.accumulator().size()));
    }
    for (int register = 0; form.writes() >> register != 0; register++) {
      if ((form.writes() >> register & 1) != 0) {
        s.written(register, 8);
      }
    }
    if (form.writesFlags()) {
      s.flags = PathState.FLAGS_ANY;
    }
  }

  /** A register is an operand. */
  private static void use(HostInstruction in, Operand o, int number, PathState s) {
    if (o.vector()) {
      if (o.writes()) {
        guestChanges(s);
      }
      return;
    }
    int register = in.general(number, o);
    require(
        register != BASE && register != RSP && register != BUDGET,
        "the base, the budget or the stack pointer is an operand");
    if (o.reads()) {
      read(s, register, in.bytes(o.size()));
    }
    if (o.writes() && register != ADDRESS && register != INDEX) {
      guestChanges(s);
    }
  }

  private static void written(HostInstruction in, Operand o, int number, PathState s) {
    if (o.writes() && !o.vector()) {
      s.written(in.general(number, o), in.bytes(o.size()));
    }
  }

  /** A register is read as what the guest may see. */
  private static void read(PathState s, int register, int size) {
    require(
        !(register == ADDRESS && PathState.isSecret(s.address)
            || register == INDEX && size > s.indexSeen),
        "a value of the host is read");
  }

  private static void guestChanges(PathState s) {
    require(s.budget == PathState.REACHED, "the block's instructions are not paid yet");
  }

  // ---- memory ----

  private void memory(HostInstruction in, Operand o, PathState s) {
    int size = in.bytes(o.memorySize());
    if (size == 0) {
      part(in.base, s);
      part(in.index, s);
      return;
    }
    if (in.isAt(BASE)) {
      field(in, o, size, s);
      return;
    }
    guestChanges(s);
    require(in.isAt(ADDRESS) && s.is(PathState.HOST), "this address did not come out of a check");
    int end = in.displacement + size;
    require(
        in.displacement >= 0 && end <= PathState.bytes(s.address),
        "the access is longer than what was checked");
    require(!o.writes() || PathState.isWritable(s.address), "a store to what is checked for loads");
    int alignment = alignment(in, o, size);
    require(
        PathState.alignment(s.address) >= alignment && (in.displacement & alignment - 1) == 0,
        "the address may be misaligned");
  }

  /** A register is part of an address that is only computed. */
  private static void part(int register, PathState s) {
    require(register != HostInstruction.RIP, "an address relative to RIP");
    if (register == HostInstruction.NONE) {
      return;
    }
    require(
        register != BASE && register != RSP && register != BUDGET,
        "the base, the budget or the stack pointer is an operand");
    read(s, register, 8);
  }

  /** What an address has to be a multiple of, or the host's processor may raise an exception. */
  private static int alignment(HostInstruction in, Operand o, int size) {
    boolean atomic = in.lock || in.form.operation() == HostForm.Operation.XCHG;
    boolean wide = in.form.operation() == HostForm.Operation.CMPXCHG16B && size == 16;
    return atomic || wide || o.memorySize() == 'a' ? size : 1;
  }

  private void field(HostInstruction in, Operand o, int size, PathState s) {
    int first = in.displacement - FIELDS_BEGIN;
    boolean inside = first >= 0 && first + size <= fieldAt.length;
    int field = inside ? fieldAt[first] : 0;
    require(
        field != 0 && field == fieldAt[first + size - 1],
        "no field of the state block that code may touch");
    require(
        !o.writes() || contract.fields().get(field - 1).writable(),
        "a field of the state block that code may not write");
    if (o.writes()) {
      guestChanges(s);
    }
    if (contract.fields().get(field - 1).offset() == contract.temporary()) {
      temporary(in.displacement - contract.temporary(), o, size, s);
    }
  }

  private static void temporary(int offset, Operand o, int size, PathState s) {
    require(!o.reads() || offset + size <= s.keptSeen, "a value of the host is read");
    if (o.writes()) {
      s.kept = size == 8 ? PathState.ANY : PathState.SECRET;
      s.keptSeen = offset <= s.keptSeen ? Math.max(s.keptSeen, offset + size) : s.keptSeen;
    }
  }

  // ---- jumps ----

  /** Takes what a conditional jump says on one of its ways. */
  void refine(PathState s, int jumpCondition, boolean taken) {
    int condition = taken ? jumpCondition : jumpCondition ^ 1;
    switch (s.flags) {
      case PathState.FLAGS_COMPARE -> compared(s, condition);
      case PathState.FLAGS_BITS -> {
        long alignment = s.flagsValue + 1;
        if (condition == EQUAL
            && alignment > 0
            && alignment <= PAGE_BYTES
            && (alignment & alignment - 1) == 0) {
          s.aligned((int) alignment);
        }
      }
      case PathState.FLAGS_ZERO -> {
        if (condition == NOT_EQUAL) {
          s.address = PathState.CODE_OFFSET;
        } else if (condition == EQUAL) {
          s.address = PathState.ANY;
        }
      }
      case PathState.FLAGS_HIGH -> s.below = condition == BELOW ? s.flagsSize : s.below;
      case PathState.FLAGS_SIGN -> s.extended = condition == EQUAL ? s.flagsSize : s.extended;
      case PathState.FLAGS_BUDGET -> {
        if (condition == SIGN || condition == NO_SIGN) {
          s.budget = condition == SIGN ? PathState.EXHAUSTED : PathState.REACHED;
          s.flags = PathState.FLAGS_ANY;
        }
      }
      default -> {}
    }
  }

  private static void compared(PathState s, int condition) {
    long value = s.flagsValue;
    if (s.is(PathState.PLUS_ONE)) {
      int size = PathState.bytes(s.address);
      if (condition == ABOVE && value == 1 && size == s.flagsSize) {
        s.ordinary = size;
      }
      return;
    }
    long most = condition == BELOW_OR_EQUAL ? value : condition == BELOW ? value - 1 : -1;
    if (most < 0 || most >= PAGE_BYTES || value < 0 || s.flagsSize != 8) {
      return;
    }
    int flags = s.flags;
    if (s.is(PathState.TAGGED)) {
      s.step(PathState.OFFSET, PathState.isWritable(s.address), PAGE_BYTES - (int) most);
    } else if (s.is(PathState.PAGE_TAGGED)) {
      s.step(PathState.PAGE_OFFSET, false, 0);
    }
    s.flags = flags;
  }

  /** A jump to what R15 says. */
  void indirect(HostInstruction in, PathState s) {
    require(
        in.rmIs(ADDRESS) && s.is(PathState.CODE), "R15 is not the address of code from a table");
    require(s.moved, "the page of the code in R15 has not become the present one");
    leaves(s);
  }

  /** Code is left for other code. */
  static void leaves(PathState s) {
    require(s.budget == PathState.REACHED, "the block's instructions are not paid yet");
    require(!s.pushed, "PUSH and POP of a page are not a pair");
  }

  /** A jump to the stub that looks for the target in R15. */
  void lookup(PathState s) {
    leaves(s);
    require(!s.moved, "the present page has changed");
    require(!PathState.isSecret(s.address), "the target is a value of the host");
  }

  /** A jump that can lead to another translation in the same page. */
  void linkable(PathState s) {
    leaves(s);
    require(!s.moved, "the present page has changed");
  }
}
