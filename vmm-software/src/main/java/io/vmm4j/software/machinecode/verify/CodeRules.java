package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.software.machinecode.verify.Convention.BUDGET;
import static io.vmm4j.software.machinecode.verify.Convention.INDEX;
import static io.vmm4j.software.machinecode.verify.Convention.RAX;
import static io.vmm4j.software.machinecode.verify.Convention.RCX;
import static io.vmm4j.software.machinecode.verify.Convention.RDX;
import static io.vmm4j.software.machinecode.verify.Refused.require;

import io.vmm4j.software.machinecode.verify.CodeContract.Mode;
import io.vmm4j.software.machinecode.verify.HostForm.Operand;
import org.jspecify.annotations.Nullable;

/**
 * What each instruction may do, and what is known after it. The steps of a check are known one by
 * one, in any order of others between them; what is no step of one is judged by its operands.
 */
final class CodeRules {
  private final CodeContract contract;

  private final OperandRules operands;
  private final StringRules strings;
  private Mode tables;
  private int instructions;

  CodeRules(CodeContract contract) {
    this.contract = contract;
    this.tables = contract.modes().getFirst();
    this.operands = new OperandRules(contract);
    this.strings = new StringRules(contract);
  }

  /** Begins a piece. */
  void begin(int mode, int blockInstructions) {
    tables = contract.modes().get(mode);
    instructions = blockInstructions;
    operands.begin(tables.supervisor());
  }

  /** Takes an instruction that is no jump. */
  void apply(HostInstruction in, PathState s) {
    boolean pops = in.form.operation() == HostForm.Operation.POP;
    require(s.pushed == pops, "PUSH and POP of a page are not a pair");
    if (!isStep(in, s)) {
      operands.apply(in, s);
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
      case MOVS -> string(in, s, true);
      case STOS -> string(in, s, false);
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
    return in.memory && in.regIs(ADDRESS) && in.width() == 8 && reg != null && reg.writes();
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
      return StringRules.distance(in, s);
    }
    if (isData(in, s, contract.hostPage()) && s.is(PathState.END)) {
      require(s.indexOfAddress, "the entry is not that of the address in R15");
      s.step(PathState.END_OFFSET, false, PathState.bytes(s.address));
      return true;
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
    if (isTagAgain(in, s)) {
      s.step(PathState.ANY, false, 0);
    } else if (isData(in, s, contract.hostPage())) {
      require(s.is(PathState.OFFSET), "R15 is not an offset into the page of R11's entry");
      s.step(PathState.HOST, PathState.isWritable(s.address), PathState.bytes(s.address));
    } else {
      require(isPage(in, s, contract.pageTable()), "this is no page of a table of this mode");
      require(s.is(PathState.SLOT_OFFSET), "R15 is not an offset into the table of R11's entry");
      s.step(PathState.SLOT, false, 0);
    }
    return true;
  }

  /** Whether the tag is added that was subtracted from an address, which is what it was then. */
  private boolean isTagAgain(HostInstruction in, PathState s) {
    boolean ofData = isData(in, s, contract.readTag()) || isData(in, s, contract.writeTag());
    return s.is(PathState.TAGGED) && ofData
        || s.is(PathState.PAGE_TAGGED) && isPage(in, s, contract.pageTag());
  }

  private boolean compare(HostInstruction in, PathState s) {
    if (in.isAt(BASE, INDEX) && in.regIs(ADDRESS) && in.width() == 8) {
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
    operands.apply(in, s);
    int size = in.width();
    if (in.form.immediate() != null) {
      if (in.rmIs(ADDRESS) && size >= 4) {
        flags(s, PathState.FLAGS_COMPARE, size, in.immediate);
      } else if (in.rmIs(RCX) && size == 8) {
        flags(s, PathState.FLAGS_COUNT, size, in.immediate);
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
    if (in.memory) {
      return false;
    }
    if (in.rmIs(BUDGET) && in.regIs(BUDGET) && in.width() == 4) {
      s.flags = PathState.FLAGS_ANY;
      return true;
    }
    if (!in.rmIs(ADDRESS)) {
      return false;
    }
    if (in.form.immediate() != null) {
      operands.apply(in, s);
      flags(s, PathState.FLAGS_BITS, 0, in.immediate);
      return true;
    }
    if (in.regIs(ADDRESS) && s.is(PathState.CODE_OR_ZERO) && in.width() >= 4) {
      flags(s, PathState.FLAGS_ZERO, 0, 0);
      return true;
    }
    return false;
  }

  private boolean move(HostInstruction in, PathState s) {
    int size = in.width();
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
        OperandRules.read(s, ADDRESS, size);
        s.indexIs(PathState.INDEX_COPY);
        s.indexOfAddress = true;
        return true;
      }
      if (StringRules.point(to, from, size, s)) {
        return true;
      }
      if (to == ADDRESS && from == RAX) {
        s.addressWritten(PathState.value(PathState.ACCUMULATOR, false, size));
        return true;
      }
      return false;
    }
    if (in.regIs(ADDRESS) && loads && in.isAt(ADDRESS) && s.is(PathState.SLOT)) {
      require(size == 4 && in.displacement == 0, "an element of a table has 4 bytes");
      s.step(PathState.CODE_OR_ZERO, false, 0);
      return true;
    }
    return size == 8 && strings.keep(in, loads, s);
  }

  private static boolean isFull(@Nullable Operand o) {
    return o != null && o.size() == 'v';
  }

  private boolean loadAddress(HostInstruction in, PathState s) {
    if (in.regIs(ADDRESS) && in.width() >= 4 && in.isAt(INDEX) && in.displacement == 1) {
      OperandRules.read(s, INDEX, in.width());
      s.addressWritten(PathState.value(PathState.PLUS_ONE, false, in.width()));
      return true;
    }
    return StringRules.end(in, s);
  }

  private boolean string(HostInstruction in, PathState s, boolean moves) {
    StringRules.repeat(in, moves, s);
    return true;
  }

  private static boolean isShift(HostInstruction in, int register) {
    return in.rmIs(register)
        && in.form.immediate() != null
        && isFull(in.form.rm())
        && in.width() >= 4;
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
    if (!isShift(in, INDEX)) {
      return false;
    }
    if (s.index != PathState.INDEX_PART || s.left != 0) {
      operands.apply(in, s);
      s.indexMost = in.immediate >= 0 ? in.immediate : PathState.UNKNOWN;
      return true;
    }
    // The mask has no bits that a shift of 32 bits would have lost.
    long mask = s.mask & in.immediate & (in.width() == 4 ? 0xFFFF_FFFFL : -1);
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
    int size = in.width();
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
    int size = in.width();
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
        && in.width() == 4;
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
}
