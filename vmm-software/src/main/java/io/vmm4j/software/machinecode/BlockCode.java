package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The code of one block while it is being emitted: registers, the one place that emits guest
 * accesses, the flags, and the exits.
 *
 * <p>The flags of the guest are in up to three places: in the host's flags, in the state block, in
 * a {@link FlagRecipe}. An exit finds them in the state block: code out of line saves them there if
 * they are not.
 */
final class BlockCode {
  private static final int COMPARE = 7;
  private static final int AND = 4;
  private static final int OR = 1;
  private static final int ADD = 0;
  private static final int SUBTRACT = 5;
  private static final int PAGE_BYTES = 0x1000;
  private static final int INDEX_MASK = (StateBlock.TLB_ENTRIES - 1) * StateBlock.TLB_ENTRY_BYTES;

  /**
   * Code out of line that leaves.
   *
   * @param jumps the jumps that lead there
   * @param word what it says: see {@link Exit}
   * @param saved whether the flags are in the state block
   * @param recipe how they are computed otherwise
   * @param budgetBack the instructions to give back
   * @param tag the offset of the tag that was subtracted from an address, which is restored and
   *     noted; 0 for none
   */
  private record ColdExit(
      int[] jumps, int word, boolean saved, @Nullable FlagRecipe recipe, int budgetBack, int tag) {}

  final Assembler asm = new Assembler();
  private final List<ColdExit> cold = new ArrayList<>();
  private int mode;
  private int pageOffset;

  /** The place of the instruction that is being emitted. */
  private int instruction;

  /** The flags that somebody reads before they are written: before this instruction. */
  private int liveBefore;

  private boolean inHost;
  private boolean saved;
  private boolean clearsAuxiliary;
  private @Nullable FlagRecipe recipe;

  /** Begins a block. */
  void begin(int newMode, int blockPageOffset) {
    asm.reset();
    cold.clear();
    mode = newMode;
    pageOffset = blockPageOffset;
    inHost = false;
    saved = true;
    recipe = null;
    instruction = 0;
    liveBefore = 0;
  }

  /** Begins an instruction. */
  void instruction(int index, int live) {
    instruction = index;
    liveBefore = live;
  }

  int mode() {
    return mode;
  }

  /** The size in bytes of a pointer and of what the stack holds: 8, or 4 in 32-bit code. */
  int pointerSize() {
    return Mode.codeSize(mode);
  }

  // ---- registers ----

  /** The host register with a guest register's value, loaded into {@code scratch} if need be. */
  int value(int guest, int scratch) {
    int host = HostRegisters.of(guest);
    if (host != HostRegisters.NONE) {
      return host;
    }
    asm.load(8, scratch, BASE, StateBlock.gpr(guest));
    return scratch;
  }

  /** The host register in which a guest register gets a value that replaces all of it. */
  int destination(int guest, int scratch) {
    int host = HostRegisters.of(guest);
    return host != HostRegisters.NONE ? host : scratch;
  }

  /**
   * Ends the change of a guest register that was made in {@link #value} or {@link #destination}.
   */
  void changed(int guest, int scratch) {
    if (HostRegisters.of(guest) == HostRegisters.NONE) {
      asm.store(8, scratch, BASE, StateBlock.gpr(guest));
    }
  }

  /** A guest register is about to change: flags that are computed from it are saved. */
  void aboutToWrite(int guest) {
    if (recipe != null && recipe.uses(guest)) {
      if (!saved && liveBefore != 0) {
        save();
      }
      recipe = null;
    }
  }

  // ---- addresses and accesses ----

  /** The linear address of a memory operand, into {@link HostRegisters#ADDRESS}. */
  void address(Instruction in) {
    clobberHost();
    effectiveAddress(in, in.addressSize, ADDRESS);
    segment(in.segment);
  }

  /** Adds the base of a segment; those of ES, CS, SS and DS are zero. */
  void segment(int segment) {
    if (segment >= Cpu.FS) {
      int base = segment == Cpu.FS ? StateBlock.FS_BASE : StateBlock.GS_BASE;
      asm.rm(pointerSize(), 0x03, ADDRESS, BASE, base);
    }
  }

  /**
   * Computes the offset of a memory operand; leaves the flags.
   *
   * @param size of the result in bytes, 4 or 8
   * @param to a host register
   */
  void effectiveAddress(Instruction in, int size, int to) {
    if (in.base == Instruction.BLOCK_RIP) {
      asm.load(8, to, BASE, StateBlock.PAGE_RIP);
      asm.lea(size, to, to, (int) (in.displacement + pageOffset));
      return;
    }
    int displacement = (int) in.displacement;
    if (in.index == Instruction.NO_REGISTER) {
      if (in.base == Instruction.NO_REGISTER) {
        asm.constant(to, size == 4 ? displacement & 0xFFFFFFFFL : displacement);
      } else {
        asm.lea(size, to, value(in.base, ADDRESS), displacement);
      }
      return;
    }
    int index = value(in.index, VALUE);
    if (in.base == Instruction.NO_REGISTER) {
      asm.leaIndex(size, to, index, in.scale, displacement);
    } else {
      asm.rmx(size, 0x8D, to, value(in.base, ADDRESS), index, in.scale, displacement);
    }
  }

  /** Whether a memory operand's address can be computed here. */
  boolean canAddress(Instruction in) {
    return Assembler.fits32(in.displacement + pageOffset);
  }

  /**
   * Turns the linear address in {@link HostRegisters#ADDRESS} into the host's, or leaves for the
   * interpreter. The one place that makes host addresses of guest addresses. Uses {@link
   * HostRegisters#VALUE}.
   *
   * @param size of the access in bytes
   * @param write whether it is written
   * @param alignment what the address has to be a multiple of, or the interpreter executes it
   */
  void access(int size, boolean write, int alignment) {
    int table = StateBlock.TLB + Mode.kind(mode) * StateBlock.TLB_BYTES;
    if (alignment > 1) {
      asm.rr(0, 1, 0xF6, 0, ADDRESS, 2);
      asm.byte8(alignment - 1);
      leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.NOT_EQUAL));
    }
    asm.move(4, VALUE, ADDRESS);
    asm.shift(4, 5, VALUE, 7);
    asm.operate(4, AND, VALUE, INDEX_MASK);
    int tag = table + (write ? StateBlock.WRITE_TAG : StateBlock.READ_TAG);
    asm.rmx(8, 0x2B, ADDRESS, BASE, VALUE, 0, tag);
    asm.operate(8, COMPARE, ADDRESS, PAGE_BYTES - size);
    leaveToFind(write ? Exit.STORE : Exit.LOAD, asm.jumpIf(Assembler.ABOVE), tag);
    asm.rmx(8, 0x03, ADDRESS, BASE, VALUE, 0, table + StateBlock.HOST_PAGE);
  }

  /**
   * The same for as many elements as RCX says, at most a page of them, which must lie in one page.
   *
   * @param size of an element
   */
  void accessCounted(int size, boolean write) {
    int table = StateBlock.TLB + Mode.kind(mode) * StateBlock.TLB_BYTES;
    asm.move(4, VALUE, ADDRESS);
    asm.shift(4, 5, VALUE, 7);
    asm.operate(4, AND, VALUE, INDEX_MASK);
    int tag = table + (write ? StateBlock.WRITE_TAG : StateBlock.READ_TAG);
    asm.rmx(8, 0x2B, ADDRESS, BASE, VALUE, 0, tag);
    asm.operate(8, COMPARE, ADDRESS, PAGE_BYTES - 1);
    leaveToFind(write ? Exit.STORE : Exit.LOAD, asm.jumpIf(Assembler.ABOVE), tag);
    asm.rmx(8, 0x03, ADDRESS, BASE, VALUE, 0, table + StateBlock.HOST_PAGE);
    asm.store(8, ADDRESS, BASE, StateBlock.TEMPORARY);
    // The end of the elements, less the host's address of the page.
    int scale = Integer.numberOfTrailingZeros(size);
    asm.rmx(8, 0x8D, ADDRESS, ADDRESS, Assembler.RCX, scale, 0);
    asm.rmx(8, 0x2B, ADDRESS, BASE, VALUE, 0, table + StateBlock.HOST_PAGE);
    asm.operate(8, COMPARE, ADDRESS, PAGE_BYTES);
    leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.ABOVE));
    asm.load(8, ADDRESS, BASE, StateBlock.TEMPORARY);
  }

  // ---- flags ----

  /** The flags were written by the instruction just emitted, and are in the host's now. */
  void flagsWritten(int liveAfter, @Nullable FlagRecipe newRecipe) {
    inHost = true;
    saved = liveAfter == 0; // nobody looks: as good as saved
    recipe = newRecipe;
    clearsAuxiliary = false;
  }

  /** The same for an instruction that leaves AF undefined: saved flags have it clear. */
  void flagsWrittenButAuxiliary(int liveAfter) {
    flagsWritten(liveAfter, null);
    clearsAuxiliary = true;
  }

  /** The flags are in the state block alone. */
  void flagsInMemory() {
    inHost = false;
    saved = true;
    recipe = null;
  }

  /** The flags are in the state block and in the host's. */
  void flagsEverywhere() {
    inHost = true;
    saved = true;
    recipe = null;
    clearsAuxiliary = false;
  }

  /** The host's flags are about to be overwritten by what is no instruction of the guest. */
  void clobberHost() {
    if (inHost && !saved && recipe == null && liveBefore != 0) {
      save();
    }
    inHost = false;
  }

  /** Has the flags in the state block. */
  void requireSaved() {
    if (!saved) {
      if (liveBefore != 0) {
        save();
      }
      saved = true;
    }
  }

  /** Has all flags in the host's. Uses {@link HostRegisters#ADDRESS}. */
  void requireHost() {
    if (inHost) {
      return;
    }
    if (!saved && recipe != null) {
      repeat(recipe);
    } else {
      asm.move(8, ADDRESS, Assembler.RAX);
      asm.rm(0, 4, 0x0FB7, Assembler.RAX, BASE, StateBlock.FLAGS, false);
      asm.operate(1, ADD, Assembler.RAX, 0x7F);
      asm.byte8(0x9E);
      asm.move(8, Assembler.RAX, ADDRESS);
    }
    inHost = true;
    clearsAuxiliary = false;
  }

  /** Has all flags in the host's, AF too where an instruction left it undefined. */
  void requireExactHost() {
    if (clearsAuxiliary) {
      requireSaved();
      inHost = false;
    }
    requireHost();
  }

  /** Has CF in the host's flags. */
  void requireCarry() {
    if (inHost) {
      return;
    }
    if (!saved && recipe != null) {
      repeat(recipe);
      inHost = true;
      return;
    }
    asm.rm(2, 0x0FBA, 4, BASE, StateBlock.FLAGS);
    asm.byte8(8);
  }

  /**
   * Makes a condition of the guest one of the host's flags, whatever these are otherwise.
   *
   * @return the host's condition
   */
  int condition(int code) {
    if (inHost || !saved && recipe != null) {
      requireHost();
      return code;
    }
    int inverted = code & 1;
    int high = StateBlock.FLAGS_HIGH;
    switch (code >> 1) {
      case 0 -> {
        asm.operateMemory(1, COMPARE, BASE, StateBlock.FLAGS, 0);
        return Assembler.NOT_EQUAL ^ inverted;
      }
      case 1 -> testMemory(high, 1);
      case 2 -> testMemory(high, 0x40);
      case 3 -> testMemory(high, 0x41);
      case 4 -> testMemory(high, 0x80);
      case 5 -> testMemory(high, 4);
      default -> {
        requireHost();
        return code;
      }
    }
    return Assembler.NOT_EQUAL ^ inverted;
  }

  private void testMemory(int offset, int mask) {
    asm.rm(0, 1, 0xF6, 0, BASE, offset, false);
    asm.byte8(mask);
  }

  /** Stores the flags in the state block. */
  private void save() {
    if (!inHost && recipe != null) {
      repeat(recipe);
      inHost = true;
      clearsAuxiliary = false;
    }
    store();
    saved = true;
    if (clearsAuxiliary) {
      asm.operateMemory(1, AND, BASE, StateBlock.FLAGS_HIGH, ~0x10);
      inHost = false;
      clearsAuxiliary = false;
    }
  }

  /** Stores the host's flags. Uses {@link HostRegisters#ADDRESS}. */
  private void store() {
    asm.move(8, ADDRESS, Assembler.RAX);
    asm.byte8(0x9F);
    asm.rr(0, 1, 0x0F90, 0, Assembler.RAX, 0);
    asm.store(2, Assembler.RAX, BASE, StateBlock.FLAGS);
    asm.move(8, Assembler.RAX, ADDRESS);
  }

  /**
   * Stores flags that follow from a result of which the host leaves some undefined: SF, ZF and PF
   * of a register, CF as it is in the host's flags, OF the same or clear, AF clear.
   */
  void saveFromResult(int host, int size, boolean overflowIsCarry) {
    asm.rm(0, 1, 0x0F92, 0, BASE, StateBlock.TEMPORARY, false); // SETC
    asm.rr(size, size == 1 ? 0x84 : 0x85, host, host);
    asm.move(8, ADDRESS, Assembler.RAX);
    asm.byte8(0x9F);
    asm.rm(1, 0x8A, Assembler.RAX, BASE, StateBlock.TEMPORARY);
    asm.rr(0, 1, 0x0A, Assembler.HIGH + 4, Assembler.RAX, 0); // OR AH, AL
    if (!overflowIsCarry) {
      asm.constantByteZero();
    }
    asm.store(2, Assembler.RAX, BASE, StateBlock.FLAGS);
    asm.move(8, Assembler.RAX, ADDRESS);
    flagsInMemory();
  }

  /** Replaces one flag in the state block by a byte of 0 or 1 in {@link HostRegisters#VALUE}. */
  void replaceSaved(int bit) {
    if (bit != 0) {
      asm.shift(4, 4, VALUE, bit);
    }
    asm.operateMemory(1, AND, BASE, StateBlock.FLAGS_HIGH, ~(1 << bit));
    asm.rm(1, 0x08, VALUE, BASE, StateBlock.FLAGS_HIGH);
    flagsInMemory();
  }

  /** Computes flags anew. Uses {@link HostRegisters#ADDRESS}. */
  private void repeat(FlagRecipe r) {
    int size = r.size();
    switch (r.operation()) {
      case COMPARE -> operate(COMPARE, size, value(r.result(), ADDRESS), r);
      case TEST -> {
        int first = value(r.result(), ADDRESS);
        if (r.source() < 0) {
          asm.rr(0, size, size == 1 ? 0xF6 : 0xF7, 0, first, size == 1 ? 2 : 0);
          asm.immediate(size, r.immediate());
        } else {
          int host = HostRegisters.of(r.source());
          if (host == HostRegisters.NONE) {
            asm.rm(size, size == 1 ? 0x84 : 0x85, first, BASE, StateBlock.gpr(r.source()));
          } else {
            asm.rr(size, size == 1 ? 0x84 : 0x85, host, first);
          }
        }
      }
      case LOGIC -> {
        int result = value(r.result(), ADDRESS);
        asm.rr(size, size == 1 ? 0x84 : 0x85, result, result);
      }
      case ADD -> {
        copy(r.result());
        operate(SUBTRACT, size, ADDRESS, r);
        operate(ADD, size, ADDRESS, r);
      }
      case SUBTRACT -> {
        copy(r.result());
        operate(ADD, size, ADDRESS, r);
        operate(SUBTRACT, size, ADDRESS, r);
      }
      case NEGATE -> {
        copy(r.result());
        asm.rr(0, size, size == 1 ? 0xF6 : 0xF7, 3, ADDRESS, 2);
        asm.rr(0, size, size == 1 ? 0xF6 : 0xF7, 3, ADDRESS, 2);
      }
    }
  }

  private void copy(int guest) {
    int host = value(guest, ADDRESS);
    if (host != ADDRESS) {
      asm.move(8, ADDRESS, host);
    }
  }

  private void operate(int operation, int size, int to, FlagRecipe r) {
    if (r.source() < 0) {
      asm.operate(size, operation, to, r.immediate());
    } else {
      operate(operation, size, to, r.source());
    }
  }

  /** An operation (0 to 7) of a host register with a guest register. */
  void operate(int operation, int size, int to, int guest) {
    int opcode = operation << 3 | (size == 1 ? 2 : 3);
    int host = HostRegisters.of(guest);
    if (host == HostRegisters.NONE) {
      asm.rm(size, opcode, to, BASE, StateBlock.gpr(guest));
    } else {
      asm.rr(size, opcode, to, host);
    }
  }

  // ---- exits ----

  /** Has jumps leave machine code before the present instruction. */
  void leaveAt(int reason, int... jumps) {
    int word = Exit.word(reason, instruction);
    cold.add(new ColdExit(jumps, word, saved || liveBefore == 0, recipe, 0, 0));
  }

  /**
   * The same where what is missing is the page of an address: the instruction is tried again once
   * it is there. The address lies in {@link HostRegisters#ADDRESS} less the tag at an offset from
   * the base and {@link HostRegisters#VALUE}.
   */
  void leaveToFind(int reason, int jump, int tag) {
    int word = Exit.word(reason, instruction);
    cold.add(new ColdExit(new int[] {jump}, word, saved || liveBefore == 0, recipe, 0, tag));
  }

  /** The same at the beginning of the block, whose instructions are given back to the budget. */
  void leaveForBudget(int jump, int count) {
    cold.add(new ColdExit(new int[] {jump}, Exit.word(Exit.BUDGET, 0), true, null, count, 0));
  }

  /** Has a jump leave machine code after the block; the flags are saved. */
  void leaveAfter(int reason, int jump) {
    int word = Exit.word(reason, instruction);
    cold.add(new ColdExit(new int[] {jump}, word, true, null, 0, 0));
  }

  private void leave(int word, int exitStub) {
    asm.storeConstant(4, BASE, StateBlock.EXIT, word);
    asm.endsInExitWord();
    asm.jumpOutside(exitStub);
  }

  /** Emits what a void block leads to; returns where it lies. */
  int dead(int exitStub) {
    int here = asm.position();
    leave(Exit.word(Exit.DEAD, 0), exitStub);
    return here;
  }

  /** Emits the exits, which lead to the exit stub at an offset of code memory. */
  void finish(int exitStub, Links links) {
    for (ColdExit exit : cold) {
      int here = asm.position();
      for (int jump : exit.jumps()) {
        asm.bind(jump, here);
      }
      links.exit(exit.word(), exit.jumps()[0], here);
      if (exit.tag() != 0) {
        asm.rmx(8, 0x03, ADDRESS, BASE, VALUE, 0, exit.tag());
        asm.store(8, ADDRESS, BASE, StateBlock.TARGET);
      }
      if (!exit.saved()) {
        FlagRecipe flags = exit.recipe();
        if (flags == null) {
          throw new IllegalStateException("flags are lost at exit " + exit.word());
        }
        repeat(flags);
        store();
      }
      if (exit.budgetBack() != 0) {
        asm.operate(4, ADD, HostRegisters.BUDGET, exit.budgetBack());
      }
      leave(exit.word(), exitStub);
    }
  }

  /** Is told where the exits lie. */
  interface Links {
    /**
     * An exit.
     *
     * @param word what it says: see {@link Exit}
     * @param jump the position of the displacement of the jump that leads there
     * @param at its position
     */
    void exit(int word, int jump, int at);
  }
}
