package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

/**
 * The code that all blocks share: the way in, the way out, and the search for jump targets. The
 * convention of the way in is System V's: the address of the state block is in RDI; RBX, RBP and
 * R12 to R15 are kept.
 */
final class Stubs {
  private static final int GENERAL_REGISTERS = 16;
  private static final int XMM_REGISTERS = 16;
  private static final int AND = 4;
  private static final int CMP = 7;
  private static final int SHIFT_LEFT = 4;
  private static final int SHIFT_RIGHT = 5;
  private static final int[] KEPT = {3, 5, 12, 13, 14, 15};

  /** Where the code is entered. */
  final int entry;

  /** Where blocks leave. */
  final int exit;

  final int entryBytes;
  final int exitBytes;

  private final int[] lookups = new int[Mode.COUNT];
  private final int[] lookupBytes = new int[Mode.COUNT];

  /**
   * Emits them.
   *
   * @param wide whether machine code works with YMM registers
   */
  Stubs(CodeMemory memory, boolean wide) {
    Assembler asm = new Assembler();
    enter(asm, wide);
    entryBytes = asm.position();
    entry = memory.add(asm.code());
    asm.reset();
    leave(asm, wide);
    exitBytes = asm.position();
    exit = memory.add(asm.code());
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      asm.reset();
      lookup(asm, mode, exit - memory.next());
      lookupBytes[mode] = asm.position();
      lookups[mode] = memory.add(asm.code());
    }
  }

  /** Where the target in {@link HostRegisters#ADDRESS} is looked for. */
  int lookup(int mode) {
    return lookups[mode];
  }

  int lookupBytes(int mode) {
    return lookupBytes[mode];
  }

  /** VMOVUPS of YMM registers: a load, or a store. */
  private static void moveWide(Assembler asm, boolean store) {
    for (int i = 0; i < XMM_REGISTERS; i++) {
      Assembler.Vex vex = new Assembler.Vex(1, 0, store ? 0x11 : 0x10, false, true, 0);
      asm.vexMemory(vex, i, BASE, StateBlock.YMM + 32 * i);
    }
  }

  private static void enter(Assembler asm, boolean wide) {
    for (int register : KEPT) {
      asm.push(register);
    }
    asm.move(8, BASE, Assembler.RDI);
    asm.rm(4, 0x0FAE, 3, BASE, StateBlock.HOST_MXCSR);
    asm.rm(4, 0x0FAE, 2, BASE, StateBlock.MXCSR);
    if (wide) {
      moveWide(asm, false);
    } else {
      for (int i = 0; i < XMM_REGISTERS; i++) {
        asm.rm(0, 4, 0x0F10, i, BASE, StateBlock.XMM + 16 * i, false);
      }
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

  private static void leave(Assembler asm, boolean wide) {
    for (int guest = 0; guest < GENERAL_REGISTERS; guest++) {
      if (HostRegisters.of(guest) != HostRegisters.NONE) {
        asm.store(8, HostRegisters.of(guest), BASE, StateBlock.gpr(guest));
      }
    }
    if (wide) {
      moveWide(asm, true);
      asm.vexZero(false); // or what the JVM does with XMM registers takes several times as long
    } else {
      for (int i = 0; i < XMM_REGISTERS; i++) {
        asm.rm(0, 4, 0x0F11, i, BASE, StateBlock.XMM + 16 * i, false);
      }
    }
    asm.store(4, HostRegisters.BUDGET, BASE, StateBlock.BUDGET);
    asm.rm(4, 0x0FAE, 3, BASE, StateBlock.MXCSR);
    asm.rm(4, 0x0FAE, 2, BASE, StateBlock.HOST_MXCSR);
    for (int i = KEPT.length - 1; i >= 0; i--) {
      asm.pop(KEPT[i]);
    }
    asm.byte8(0xC3);
  }

  private static void lookup(Assembler asm, int mode, int exitAt) {
    asm.store(8, ADDRESS, BASE, StateBlock.TARGET);
    int[] missed = find(asm, mode);
    goOn(asm, mode);
    for (int jump : missed) {
      asm.bind(jump);
    }
    asm.storeConstant(4, BASE, StateBlock.EXIT, Exit.word(Exit.LOOKUP, 0));
    asm.bind(asm.jump(), exitAt);
  }

  /** The offset of the table of code pages of a mode. */
  static int pages(int mode) {
    return StateBlock.PAGES + mode * StateBlock.PAGE_BYTES;
  }

  /** The offset in its table of the page of the address in a register, into another. */
  static void pageEntry(Assembler asm, int to, int address) {
    asm.move(8, to, address);
    asm.shift(8, SHIFT_RIGHT, to, 12);
    asm.operate(4, AND, to, StateBlock.PAGE_ENTRIES - 1);
    asm.shift(4, SHIFT_LEFT, to, 4);
  }

  /**
   * Looks for the code of the RIP in {@link HostRegisters#ADDRESS}, where its offset into code
   * memory is left. The page's entry is left in {@link HostRegisters#VALUE}.
   *
   * @return the jumps that are taken if there is none
   */
  static int[] find(Assembler asm, int mode) {
    int[] missed = new int[2];
    pageEntry(asm, VALUE, ADDRESS);
    asm.rmx(8, 0x2B, ADDRESS, BASE, VALUE, 0, pages(mode) + StateBlock.PAGE_TAG);
    asm.operate(8, CMP, ADDRESS, 0xFFF);
    missed[0] = asm.jumpIf(Assembler.ABOVE);
    asm.shift(4, SHIFT_LEFT, ADDRESS, 2);
    asm.rmx(8, 0x03, ADDRESS, BASE, VALUE, 0, pages(mode) + StateBlock.PAGE_TABLE);
    asm.load(4, ADDRESS, ADDRESS, 0);
    asm.rr(4, 0x85, ADDRESS, ADDRESS);
    missed[1] = asm.jumpIf(Assembler.EQUAL);
    return missed;
  }

  /** Goes to the code that was found, noting its page. */
  static void goOn(Assembler asm, int mode) {
    asm.rmx(4, 0xFF, 6, BASE, VALUE, 0, pages(mode) + StateBlock.PAGE_TAG); // PUSH
    asm.rm(4, 0x8F, 0, BASE, StateBlock.PAGE_RIP); // POP
    asm.rm(8, 0x03, ADDRESS, BASE, StateBlock.CODE_BASE);
    asm.rr(4, 0xFF, 4, ADDRESS); // JMP
  }
}
