package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;

/**
 * Emits the stack and the ends of blocks. A jump within the page can be linked to its target's
 * code; any other looks for the code of its RIP in the vCPU's jump targets, for what lies in
 * another page depends on the page tables.
 */
final class BranchEmitter {
  private static final int PAGE_BYTES = 0x1000;
  private static final int CMP = 7;

  /** The bytes before the displacement: jumps that can be linked are changed while they run. */
  private static final int JUMP_OPCODE = 1;

  private static final int JUMP_IF_OPCODE = 2;

  private final BlockCode code;
  private final Assembler asm;

  /** The stub that looks for a target, in code memory. */
  private int lookupStub;

  private int pageOffset;

  BranchEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  /**
   * Begins a block.
   *
   * @param blockPageOffset where it begins in its page
   * @param lookup where the stub that looks for a target lies in code memory
   */
  void begin(int blockPageOffset, int lookup) {
    pageOffset = blockPageOffset;
    lookupStub = lookup;
  }

  // ---- the stack ----

  /** PUSH of a register. */
  void push(Instruction in) {
    slot();
    asm.store(pointer(), code.value(in.rm, VALUE), ADDRESS, 0);
    moveStack(-pointer());
  }

  /** PUSH of an immediate. */
  void pushImmediate(Instruction in) {
    slot();
    asm.storeConstant(pointer(), ADDRESS, 0, in.imm);
    moveStack(-pointer());
  }

  /** PUSH of memory or, as group FF, of a register. */
  void pushOperand(Instruction in) {
    if (!in.isMemory) {
      push(in);
      return;
    }
    code.address(in);
    code.access(pointer(), false, 1);
    asm.load(pointer(), VALUE, ADDRESS, 0);
    asm.store(8, VALUE, BASE, StateBlock.TEMPORARY);
    slot();
    asm.load(8, VALUE, BASE, StateBlock.TEMPORARY);
    asm.store(pointer(), VALUE, ADDRESS, 0);
    moveStack(-pointer());
  }

  /** The host address of the place below the stack pointer, checked for a store. */
  private void slot() {
    code.aboutToWrite(Cpu.RSP);
    code.clobberHost();
    asm.lea(pointer(), ADDRESS, HostRegisters.of(Cpu.RSP), -pointer());
    code.access(pointer(), true, 1);
  }

  private void moveStack(int bytes) {
    int sp = HostRegisters.of(Cpu.RSP);
    asm.lea(pointer(), sp, sp, bytes);
  }

  private int pointer() {
    return code.pointerSize();
  }

  /** PUSHF, whose image lies in a temporary place. */
  void pushTemporary() {
    slot();
    asm.load(8, VALUE, BASE, StateBlock.TEMPORARY);
    asm.store(pointer(), VALUE, ADDRESS, 0);
    moveStack(-pointer());
  }

  /** POP of a register. */
  void pop(Instruction in) {
    code.aboutToWrite(Cpu.RSP);
    code.aboutToWrite(in.rm);
    top(Cpu.RSP);
    if (in.rm == Cpu.RSP) {
      asm.load(pointer(), HostRegisters.of(Cpu.RSP), ADDRESS, 0);
      return;
    }
    asm.load(pointer(), code.destination(in.rm, VALUE), ADDRESS, 0);
    code.changed(in.rm, VALUE);
    moveStack(pointer());
  }

  /** The host address of where a register points, checked for a load. */
  private void top(int register) {
    code.clobberHost();
    asm.move(pointer(), ADDRESS, HostRegisters.of(register));
    code.access(pointer(), false, 1);
  }

  /** LEAVE. */
  void leave() {
    code.aboutToWrite(Cpu.RSP);
    code.aboutToWrite(Cpu.RBP);
    top(Cpu.RBP);
    asm.lea(pointer(), HostRegisters.of(Cpu.RSP), HostRegisters.of(Cpu.RBP), pointer());
    asm.load(pointer(), HostRegisters.of(Cpu.RBP), ADDRESS, 0);
  }

  // ---- the ends of blocks ----

  /** Where an instruction's successor lies, from the beginning of its page. */
  private int next(Instruction in) {
    return pageOffset + in.offset + in.length;
  }

  /** Whether a jump's target, if it is one, can be said in 32 bits from the page's beginning. */
  boolean reaches(Instruction in) {
    return switch (in.opcode) {
      case 0xE3, 0xE8, 0xE9 -> Assembler.fits32(next(in) + in.imm);
      default -> in.opcode < 0x180 || in.opcode >= 0x190 || Assembler.fits32(next(in) + in.imm);
    };
  }

  /** RIP of a place, from the beginning of the page, into a host register. */
  private void rip(int to, long offset) {
    asm.load(8, to, BASE, StateBlock.PAGE_RIP);
    asm.lea(pointer(), to, to, (int) offset);
  }

  private static boolean inPage(long offset) {
    return offset >= 0 && offset < PAGE_BYTES;
  }

  /** Goes on at a place, from the beginning of the page. */
  private void goOn(long offset, int reason) {
    if (inPage(offset)) {
      asm.alignJump(JUMP_OPCODE);
      code.leaveAfter(reason, asm.jump());
    } else {
      rip(ADDRESS, offset);
      asm.jumpOutside(lookupStub);
    }
  }

  /**
   * The beginning of a block that goes on into another page: leaves if that is not the page of
   * memory that its bytes came from.
   *
   * @param table the address of the table of that page
   */
  void checkSecondPage(long table) {
    int entry = Stubs.pages(code.mode());
    rip(ADDRESS, PAGE_BYTES);
    Stubs.pageEntry(asm, VALUE, ADDRESS);
    asm.rmx(8, 0x3B, ADDRESS, BASE, VALUE, 0, entry + StateBlock.PAGE_TAG);
    int unknown = asm.jumpIf(Assembler.NOT_EQUAL);
    asm.constant(ADDRESS, table);
    asm.rmx(8, 0x3B, ADDRESS, BASE, VALUE, 0, entry + StateBlock.PAGE_TABLE);
    code.leaveAt(Exit.DEAD, unknown, asm.jumpIf(Assembler.NOT_EQUAL));
  }

  /** The end of a block without a jump. */
  void fallThrough(int length) {
    code.requireSaved();
    goOn(pageOffset + length, Exit.NEXT);
  }

  /** The end of a block whose last instruction only ends it. */
  void goOnBehind(Instruction in) {
    code.requireSaved();
    goOn(next(in), Exit.NEXT);
  }

  /** The same where the code that follows is for another mode: its lookup stub is given. */
  void goOnElsewhere(Instruction in, int otherLookup) {
    code.requireSaved();
    rip(ADDRESS, next(in));
    asm.jumpOutside(otherLookup);
  }

  /** JMP. */
  void jump(Instruction in) {
    code.requireSaved();
    goOn(next(in) + in.imm, Exit.TAKEN);
  }

  /** Jcc. */
  void jumpIf(Instruction in) {
    code.requireSaved();
    int condition = code.condition(in.opcode & 15);
    asm.alignJump(JUMP_IF_OPCODE);
    branch(in, asm.jumpIf(condition));
  }

  /** JECXZ and JRCXZ. */
  void jumpIfNoCount(Instruction in) {
    code.requireSaved();
    asm.operate(in.addressSize == 4 ? 4 : 8, CMP, Assembler.RCX, 0);
    asm.alignJump(JUMP_IF_OPCODE);
    branch(in, asm.jumpIf(Assembler.EQUAL));
  }

  private void branch(Instruction in, int taken) {
    long target = next(in) + in.imm;
    if (inPage(target)) {
      code.leaveAfter(Exit.TAKEN, taken);
      goOn(next(in), Exit.NEXT);
    } else {
      goOn(next(in), Exit.NEXT);
      asm.bind(taken);
      goOn(target, Exit.TAKEN);
    }
  }

  /** CALL of a place. */
  void call(Instruction in) {
    code.requireSaved();
    slot();
    rip(VALUE, next(in));
    asm.store(pointer(), VALUE, ADDRESS, 0);
    moveStack(-pointer());
    goOn(next(in) + in.imm, Exit.TAKEN);
  }

  /** RET. */
  void ret(Instruction in) {
    code.requireSaved();
    top(Cpu.RSP);
    asm.load(pointer(), ADDRESS, ADDRESS, 0);
    find();
    moveStack(pointer() + (in.opcode == 0xC2 ? (int) in.imm : 0));
    go();
  }

  /** JMP to what a register or memory says. */
  void jumpIndirect(Instruction in) {
    code.requireSaved();
    target(in);
    find();
    go();
  }

  /** CALL of what a register or memory says. */
  void callIndirect(Instruction in) {
    code.requireSaved();
    target(in);
    asm.store(8, ADDRESS, BASE, StateBlock.TARGET);
    find();
    slot();
    rip(VALUE, next(in));
    asm.store(pointer(), VALUE, ADDRESS, 0);
    moveStack(-pointer());
    asm.load(8, ADDRESS, BASE, StateBlock.TARGET);
    asm.jumpOutside(lookupStub);
  }

  private void target(Instruction in) {
    if (in.isMemory) {
      code.address(in);
      code.access(pointer(), false, 1);
      asm.load(pointer(), ADDRESS, ADDRESS, 0);
    } else {
      code.clobberHost();
      asm.move(pointer(), ADDRESS, code.value(in.rm, ADDRESS));
    }
  }

  /**
   * Looks for the target in {@link HostRegisters#ADDRESS}; leaves for the interpreter if it is not
   * there. The code's offset is left there, and its page's entry in {@link HostRegisters#VALUE}.
   */
  private void find() {
    int[] missed = Stubs.find(asm, code.mode());
    code.leaveToFind(Exit.PAGE, missed[0], Stubs.pages(code.mode()) + StateBlock.PAGE_TAG);
    code.leaveAt(Exit.INTERPRET, missed[1]);
  }

  /** Goes to the target that was found. */
  private void go() {
    Stubs.goOn(asm, code.mode());
  }
}
