package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Block;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Executor;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.Mnemonic;
import io.vmm4j.software.translate.Effects;
import io.vmm4j.software.translate.VectorEffects;

/** Makes machine code of decoded blocks of 64-bit and 32-bit code. One thread at a time. */
final class BlockTranslator {
  private static final int MOST_INSTRUCTIONS = 64;
  private static final int SUB = 5;

  private final Stubs stubs;
  private final CodeFeatures features;
  private final BlockCode code = new BlockCode();
  private final IntegerEmitter integers = new IntegerEmitter(code);
  private final ShiftEmitter shifts = new ShiftEmitter(code);
  private final BranchEmitter branches = new BranchEmitter(code);
  private final VectorEmitter vectors = new VectorEmitter(code);
  private final VexEmitter vex = new VexEmitter(code);
  private final BitEmitter bits = new BitEmitter(code);
  private final StringEmitter strings = new StringEmitter(code);
  private final SystemEmitter system = new SystemEmitter(code);
  private final int[] effects = new int[MOST_INSTRUCTIONS];
  private boolean leavesAtPause;
  private final int[] liveAfter = new int[MOST_INSTRUCTIONS];
  private CodeTemplate.Jump taken = CodeTemplate.Jump.NONE;
  private CodeTemplate.Jump next = CodeTemplate.Jump.NONE;

  /** The translator of a machine. */
  BlockTranslator(Stubs stubs, CodeFeatures features) {
    this.features = features;
    this.stubs = stubs;
  }

  /** Whether PAUSE is the interpreter's, for a vCPU that waits lets others run. */
  void leaveAtPause(boolean leaves) {
    leavesAtPause = leaves;
  }

  /** Whether code can be made of a block. */
  static boolean canTranslate(Block block) {
    return block.offset >= 0 && block.count <= MOST_INSTRUCTIONS;
  }

  /** STAC and CLAC. */
  private static boolean isAccessControl(Instruction in) {
    return in.mnemonic == Mnemonic.CLAC || in.mnemonic == Mnemonic.STAC;
  }

  private int effects(Instruction in, int mode) {
    if (!in.exists() || leavesAtPause && in.mnemonic == Mnemonic.PAUSE) {
      return Effects.INTERPRETED;
    }
    int e = Effects.of(in);
    if (VectorEffects.isVector(e) && !Mode.vectors(mode)
        || Effects.isForSupervisor(e) && Mode.kind(mode) == Mmu.USER
        || isAccessControl(in) && !features.accessControl()
        || Effects.needsVex(in) && !features.vex()
        || in.segment >= Cpu.FS && !Mode.allows(mode, in.segment)
        || in.isMemory && !code.canAddress(in)
        || !branches.reaches(in)) {
      return Effects.INTERPRETED;
    }
    return e;
  }

  /**
   * Makes code of a block.
   *
   * @param secondTable the address of the table of the page that the block goes on into, or 0
   */
  CodeTemplate translate(Block block, int mode, long secondTable) {
    int page = (int) block.offset & 0xFFF;
    code.begin(mode, page);
    branches.begin(page, stubs.lookup(mode));
    analyse(block, mode);
    Assembler asm = code.asm;
    if (secondTable != 0) {
      branches.checkSecondPage(secondTable);
    }
    asm.operate(4, SUB, HostRegisters.BUDGET, block.count);
    code.leaveForBudget(asm.jumpIf(Assembler.SIGN), block.count);
    int[] resume = new int[block.count];
    int begin = asm.position();
    for (int i = 0; i < block.count; i++) {
      Instruction in = block.instructions[i];
      code.instruction(i, liveBefore(i));
      boolean last = i == block.count - 1;
      if (!Effects.isTranslated(effects[i])) {
        code.clobberHost();
        code.leaveAt(Exit.INTERPRET, asm.jump());
        code.flagsEverywhere();
      } else {
        emit(in, effects[i], liveAfter[i]);
        if (last && onlyEndsItsBlock(in)) {
          branches.goOnBehind(in);
        }
      }
      resume[i] = last && !block.fallsThrough ? 0 : asm.position();
    }
    if (block.fallsThrough) {
      code.instruction(block.count - 1, Flags.ARITHMETIC);
      branches.fallThrough(block.length);
    }
    int dead = code.dead(stubs.exit);
    taken = CodeTemplate.Jump.NONE;
    next = CodeTemplate.Jump.NONE;
    code.finish(stubs.exit, this::exit);
    return new CodeTemplate(
        asm.code(), asm.outside(), asm.words(), resume, begin, dead, taken, next);
  }

  private void exit(int word, int jump, int at) {
    switch (Exit.reason(word)) {
      case Exit.TAKEN -> taken = new CodeTemplate.Jump(jump, at);
      case Exit.NEXT -> next = new CodeTemplate.Jump(jump, at);
      default -> {}
    }
  }

  /** Whether an instruction ends its block but what follows is the next one, in the same mode. */
  private static boolean onlyEndsItsBlock(Instruction in) {
    return in.form.endsBlock && in.form.executor != Executor.BRANCH && !isAccessControl(in);
  }

  private int liveBefore(int index) {
    return index == 0 ? Flags.ARITHMETIC : liveAfter[index - 1];
  }

  private void analyse(Block block, int mode) {
    int live = Flags.ARITHMETIC;
    for (int i = block.count - 1; i >= 0; i--) {
      int e = effects(block.instructions[i], mode);
      effects[i] = e;
      liveAfter[i] = live;
      live = Effects.mayExit(e) ? Flags.ARITHMETIC : live & ~Effects.writes(e) | Effects.reads(e);
    }
  }

  private void emit(Instruction in, int effectsOfIt, int live) {
    int opcode = in.opcode;
    if (in.vex) {
      if (VectorEffects.isVector(effectsOfIt)) {
        vex.emit(in, live);
      } else {
        bits.vex(in, live);
      }
    } else if (opcode < 0x40) {
      integers.arithmetic(in, live);
    } else if (opcode < 0x100) {
      if (opcode < 0xC0) {
        oneByteLow(in, live);
      } else {
        oneByteHigh(in, live);
      }
    } else if (VectorEffects.isVector(effectsOfIt)) {
      vectors.emit(in, live);
    } else {
      twoByte(in, live);
    }
  }

  private void oneByteLow(Instruction in, int live) {
    int opcode = in.opcode;
    if (opcode < 0x50) {
      integers.incrementRegister(in, live);
    } else if (opcode < 0x58) {
      branches.push(in);
    } else if (opcode >= 0x58 && opcode < 0x60) {
      branches.pop(in);
    } else if (opcode >= 0x70 && opcode < 0x80) {
      branches.jumpIf(in);
    } else if (opcode >= 0x90 && opcode < 0x98) {
      if (in.rm != 0) {
        integers.exchangeRegisters(in.operandSize, 0, in.rm);
      }
    } else if (opcode >= 0xB0) {
      integers.immediate(in.operandSize, in.rm, in.imm);
    } else {
      switch (opcode) {
        case 0x63 -> integers.extend(in);
        case 0x68, 0x6A -> branches.pushImmediate(in);
        case 0x69, 0x6B -> integers.multiplySigned(in, live);
        case 0x80, 0x81, 0x83 -> integers.arithmeticImmediate(in, live);
        case 0x84, 0x85, 0xA8, 0xA9 -> integers.test(in, live);
        case 0x86, 0x87 -> integers.exchange(in);
        case 0x88, 0x89 -> integers.store(in);
        case 0x8A, 0x8B -> integers.load(in);
        case 0x8C -> system.moveFromSegment(in);
        case 0x8D -> integers.loadAddress(in);
        case 0x98, 0x99 -> integers.extendAccumulator(in);
        case 0x9C -> {
          system.flagsImage();
          branches.pushTemporary();
        }
        case 0xA4, 0xA5, 0xAA, 0xAB, 0xAC, 0xAD -> strings.emit(in);
        case 0x9E -> integers.storeFlags(live);
        case 0x9F -> integers.loadFlags();
        case 0xA0, 0xA1, 0xA2, 0xA3 -> integers.absolute(in);
        default -> throw missing(in);
      }
    }
  }

  private void oneByteHigh(Instruction in, int live) {
    switch (in.opcode) {
      case 0xC0, 0xC1, 0xD0, 0xD1 -> shifts.byConstant(in, live);
      case 0xD2, 0xD3 -> shifts.byCount(in, live);
      case 0xC2, 0xC3 -> branches.ret(in);
      case 0xC6, 0xC7 -> integers.storeImmediate(in);
      case 0xC9 -> branches.leave();
      case 0xE3 -> branches.jumpIfNoCount(in);
      case 0xE8 -> branches.call(in);
      case 0xE9, 0xEB -> branches.jump(in);
      case 0xF5, 0xF8, 0xF9 -> integers.setCarry(in, live);
      case 0xFA -> system.changeFlag(Flags.IF, false);
      case 0xFB -> system.setInterrupt();
      case 0xFC, 0xFD -> system.changeFlag(Flags.DF, in.opcode == 0xFD);
      case 0xF6, 0xF7 -> {
        switch (in.extension()) {
          case 0, 1 -> integers.test(in, live);
          case 2, 3 -> integers.notOrNegate(in, live);
          case 4, 5 -> integers.multiply(in, live);
          default -> integers.divide(in);
        }
      }
      case 0xFE -> integers.increment(in, live);
      case 0xFF -> {
        switch (in.extension()) {
          case 0, 1 -> integers.increment(in, live);
          case 2 -> branches.callIndirect(in);
          case 4 -> branches.jumpIndirect(in);
          case 6 -> branches.pushOperand(in);
          default -> throw missing(in);
        }
      }
      default -> throw missing(in);
    }
  }

  private void twoByte(Instruction in, int live) {
    int opcode = in.opcode;
    if (opcode >= 0x200) {
      bits.emit(in);
    } else if (opcode >= 0x140 && opcode < 0x150) {
      integers.moveIf(in);
    } else if (opcode >= 0x180 && opcode < 0x190) {
      branches.jumpIf(in);
    } else if (opcode >= 0x190 && opcode < 0x1A0) {
      integers.setIf(in);
    } else if (opcode >= 0x1C8) {
      integers.swapBytes(in);
    } else {
      switch (opcode) {
        case 0x10D, 0x118, 0x119, 0x11A, 0x11B, 0x11C, 0x11D, 0x11E, 0x11F -> {} // hints
        case 0x101 -> accessControlOrSwap(in);
        case 0x1AE -> system.fence(in);
        case 0x1A5, 0x1AD -> shifts.byCount(in, live);
        case 0x1A3, 0x1AB, 0x1B3, 0x1BB, 0x1BA -> shifts.bitTest(in, live);
        case 0x1A4, 0x1AC -> shifts.doubleByConstant(in, live);
        case 0x1AF -> integers.multiplySigned(in, live);
        case 0x1B0, 0x1B1 -> integers.compareExchange(in, live);
        case 0x1B6, 0x1B7, 0x1BE, 0x1BF -> integers.extend(in);
        case 0x1B8 -> shifts.populationCount(in, live);
        case 0x1BC, 0x1BD -> {
          if (in.mnemonic == Mnemonic.TZCNT || in.mnemonic == Mnemonic.LZCNT) {
            bits.count(in, live);
          } else {
            shifts.bitScan(in, live);
          }
        }
        case 0x1C0, 0x1C1 -> integers.exchangeAdd(in, live);
        case 0x1C7 -> integers.compareExchangeWide(in);
        default -> throw missing(in);
      }
    }
  }

  private void accessControlOrSwap(Instruction in) {
    if (!isAccessControl(in)) {
      system.swapGs();
      return;
    }
    boolean set = in.mnemonic == Mnemonic.STAC;
    system.changeFlag(Flags.AC, set);
    int other = Mode.withKind(code.mode(), set ? Mmu.SUPERVISOR_AC : Mmu.SUPERVISOR);
    branches.goOnElsewhere(in, stubs.lookup(other));
  }

  private static IllegalStateException missing(Instruction in) {
    return new IllegalStateException("no emitter for " + in);
  }
}
