package io.vmm4j.engine.software.machinecode;

import static io.vmm4j.engine.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.engine.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.engine.software.machinecode.HostRegisters.VALUE;

/**
 * The code that all blocks share: the way in, the way out, and the search for jump targets. The
 * convention of the way in is System V's: the address of the state block is in RDI; RBX, RBP and
 * R12 to R15 are kept.
 */
final class Stubs {
  private static final int GENERAL_REGISTERS = 16;
  private static final int XMM_REGISTERS = 16;
  private static final int PAGE_MASK = -0x1000;
  private static final int AND = 4;
  private static final int[] KEPT = {3, 5, 12, 13, 14, 15};

  /** Where the code is entered. */
  final int entry;

  /** Where blocks leave. */
  final int exit;

  private final int[] lookups = new int[StateBlock.KINDS];

  Stubs(CodeMemory memory) {
    Assembler asm = new Assembler();
    enter(asm);
    entry = memory.add(asm.code());
    asm.reset();
    leave(asm);
    exit = memory.add(asm.code());
    for (int kind = 0; kind < StateBlock.KINDS; kind++) {
      asm.reset();
      lookup(asm, kind, exit - memory.next());
      lookups[kind] = memory.add(asm.code());
    }
  }

  /** Where the target in {@link HostRegisters#ADDRESS} is looked for. */
  int lookup(int kind) {
    return lookups[kind];
  }

  private static void enter(Assembler asm) {
    for (int register : KEPT) {
      asm.push(register);
    }
    asm.move(8, BASE, Assembler.RDI);
    asm.rm(4, 0x0FAE, 3, BASE, StateBlock.HOST_MXCSR);
    asm.rm(4, 0x0FAE, 2, BASE, StateBlock.MXCSR);
    for (int i = 0; i < XMM_REGISTERS; i++) {
      asm.rm(0, 4, 0x0F10, i, BASE, StateBlock.XMM + 16 * i, false);
    }
    asm.load(4, HostRegisters.BUDGET, BASE, StateBlock.BUDGET);
    asm.rm(0, 4, 0x0FB7, Assembler.RAX, BASE, StateBlock.FLAGS, false);
    asm.operate(1, 0, Assembler.RAX, 0x7F);
    asm.byte8(0x9E);
    for (int guest = 0; guest < GENERAL_REGISTERS; guest++) {
      if (HostRegisters.of(guest) != HostRegisters.NONE) {
        asm.load(8, HostRegisters.of(guest), BASE, StateBlock.gpr(guest));
      }
    }
    asm.rm(4, 0xFF, 4, BASE, StateBlock.ENTRY);
  }

  private static void leave(Assembler asm) {
    for (int guest = 0; guest < GENERAL_REGISTERS; guest++) {
      if (HostRegisters.of(guest) != HostRegisters.NONE) {
        asm.store(8, HostRegisters.of(guest), BASE, StateBlock.gpr(guest));
      }
    }
    for (int i = 0; i < XMM_REGISTERS; i++) {
      asm.rm(0, 4, 0x0F11, i, BASE, StateBlock.XMM + 16 * i, false);
    }
    asm.store(4, HostRegisters.BUDGET, BASE, StateBlock.BUDGET);
    asm.rm(4, 0x0FAE, 3, BASE, StateBlock.MXCSR);
    asm.rm(4, 0x0FAE, 2, BASE, StateBlock.HOST_MXCSR);
    for (int i = KEPT.length - 1; i >= 0; i--) {
      asm.pop(KEPT[i]);
    }
    asm.byte8(0xC3);
  }

  private static void lookup(Assembler asm, int kind, int exitAt) {
    jumpEntry(asm);
    asm.rmx(8, 0x3B, ADDRESS, BASE, VALUE, 0, jumps(kind));
    int missed = asm.jumpIf(Assembler.NOT_EQUAL);
    goToEntry(asm, kind);
    asm.bind(missed);
    asm.store(8, ADDRESS, BASE, StateBlock.TARGET);
    asm.storeConstant(4, BASE, StateBlock.EXIT, Exit.word(Exit.LOOKUP, 0, 0));
    asm.bind(asm.jump(), exitAt);
  }

  /** The offset of the table of a kind. */
  static int jumps(int kind) {
    return StateBlock.JUMPS + kind * StateBlock.JUMP_BYTES;
  }

  /** The offset in its table of the target in {@link HostRegisters#ADDRESS}. */
  static void jumpEntry(Assembler asm) {
    asm.move(8, VALUE, ADDRESS);
    asm.shift(8, 5, VALUE, 8);
    asm.rr(4, 0x33, VALUE, ADDRESS);
    asm.operate(4, AND, VALUE, StateBlock.JUMP_ENTRIES - 1);
    asm.shift(4, 4, VALUE, 4);
  }

  /** Goes to a target that was found, noting its page. */
  static void goToEntry(Assembler asm, int kind) {
    asm.operate(8, AND, ADDRESS, PAGE_MASK);
    asm.store(8, ADDRESS, BASE, StateBlock.PAGE_RIP);
    asm.jumpMemory(BASE, VALUE, jumps(kind) + 8);
  }
}
