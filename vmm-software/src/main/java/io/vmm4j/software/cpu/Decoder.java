package io.vmm4j.software.cpu;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Decodes 16-, 32- and 64-bit code (Intel SDM volume 2, chapter 2 and appendix A) into blocks. The
 * bytes come from the guest's memory as it is now; {@link CodeCache} notices when they change.
 */
final class Decoder {
  private static final int MOST_INSTRUCTIONS = 64;
  private static final int MOST_LENGTH = 15;
  private static final int VEX3 = 0xC4;
  private static final int VEX2 = 0xC5;

  /** What the field pp of VEX stands for. */
  private static final int[] VEX_PREFIXES = {
    Instruction.PREFIX_NONE, Instruction.PREFIX_66, Instruction.PREFIX_F3, Instruction.PREFIX_F2
  };

  private final Cpu cpu;
  private long linear;
  private long offset;
  private long secondOffset;
  private long secondPhysical;
  private boolean crosses;
  private int position;
  private int start;
  private final byte[] bytes = new byte[(MOST_INSTRUCTIONS + 1) * (MOST_LENGTH + 1)];

  Decoder(Cpu cpu) {
    this.cpu = cpu;
  }

  /**
   * The block at a linear address. Faults as the fetch of its first instruction does; a later
   * instruction that can't be fetched is left to a block of its own.
   *
   * @param blockOffset where its first byte is in the machine's memory, or -1
   */
  Block block(long blockLinear, long blockOffset) {
    return decodeBlock(blockLinear, blockOffset, blockOffset);
  }

  /** The same for a block in memory that is not kept. */
  Block transientBlock(long blockLinear, long blockOffset) {
    return decodeBlock(blockLinear, blockOffset, -1);
  }

  private Block decodeBlock(long blockLinear, long blockOffset, long keptAt) {
    linear = blockLinear;
    offset = blockOffset;
    crosses = false;
    position = 0;
    List<Instruction> list = new ArrayList<>();
    while (true) {
      start = position;
      Instruction in;
      if (list.isEmpty()) {
        in = decode();
      } else {
        try {
          in = decode();
        } catch (CpuFault e) {
          position = start;
          crosses = false;
          break;
        }
        if (crosses) {
          position = start;
          crosses = false;
          break;
        }
      }
      list.add(in);
      boolean pageEnd = (linear & 0xFFF) + position >= 0x1000;
      if (in.form.endsBlock
          || pageEnd
          || offset < 0
          || list.size() == MOST_INSTRUCTIONS
          || cpu.debugger.endsBlockAt(linear + position)) {
        break;
      }
    }
    Instruction[] instructions = list.toArray(Instruction[]::new);
    return crosses || keptAt < 0
        ? new Block(keptAt, cpu.codeSize, instructions, position, crosses, secondPhysical)
        : new Block(keptAt, cpu.codeSize, instructions, Arrays.copyOf(bytes, position));
  }

  // ---- bytes ----

  private int next() {
    if (position - start >= MOST_LENGTH) {
      throw cpu.raise(Cpu.GP, 0);
    }
    long inPage = (linear & 0xFFF) + position;
    int value;
    if (inPage < 0x1000) {
      value =
          offset >= 0
              ? cpu.mmu.memory().get(ValueLayout.JAVA_BYTE, offset + position)
              : (int) cpu.mmu.physical().read(cpu.mmu.fetchPhysical(linear + position), 1);
    } else {
      if (!crosses) {
        long second = (linear & ~0xFFFL) + 0x1000;
        if (cpu.codeSize != 8) {
          second &= 0xFFFFFFFFL;
        }
        secondPhysical = cpu.mmu.fetchPhysical(second);
        secondOffset = cpu.mmu.offsetOf(secondPhysical);
        crosses = true;
      }
      long at = inPage - 0x1000;
      value =
          secondOffset >= 0
              ? cpu.mmu.memory().get(ValueLayout.JAVA_BYTE, secondOffset + at)
              : (int) cpu.mmu.physical().read(secondPhysical + at, 1);
    }
    bytes[position++] = (byte) value;
    return value & 0xFF;
  }

  private long signed(int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (long) next() << 8 * i;
    }
    return Flags.signExtend(value, bytes);
  }

  // ---- one instruction ----

  private Instruction decode() {
    InstructionBuilder in = new InstructionBuilder();
    in.codeSize = cpu.codeSize;
    in.offset = start;
    boolean long64 = cpu.codeSize == 8;
    boolean addressPrefix = false;
    int rexByte = 0;
    int b;
    while (true) {
      b = next();
      boolean prefix = true;
      switch (b) {
        case 0x66 -> in.operandPrefix = true;
        case 0x67 -> addressPrefix = true;
        case 0xF0 -> in.lock = true;
        case 0xF2, 0xF3 -> in.repeat = b;
        case 0x26 -> in.segmentOverride = long64 ? in.segmentOverride : Cpu.ES;
        case 0x2E -> in.segmentOverride = long64 ? in.segmentOverride : Cpu.CS;
        case 0x36 -> in.segmentOverride = long64 ? in.segmentOverride : Cpu.SS;
        case 0x3E -> in.segmentOverride = long64 ? in.segmentOverride : Cpu.DS;
        case 0x64 -> in.segmentOverride = Cpu.FS;
        case 0x65 -> in.segmentOverride = Cpu.GS;
        default -> prefix = false;
      }
      if (prefix) {
        rexByte = 0; // a REX that is not the last prefix does not count
      } else if (long64 && (b & 0xF0) == 0x40) {
        rexByte = b;
      } else {
        break;
      }
    }
    in.rex = rexByte != 0;
    in.rexW = (rexByte & 8) != 0;
    in.mandatoryPrefix =
        in.repeat == 0xF3
            ? Instruction.PREFIX_F3
            : in.repeat == 0xF2
                ? Instruction.PREFIX_F2
                : in.operandPrefix ? Instruction.PREFIX_66 : Instruction.PREFIX_NONE;
    if ((b == VEX3 || b == VEX2) && isVex()) {
      rexByte = vex(in, b == VEX3);
    } else {
      in.opcode = opcode(b);
    }
    in.addressSize = addressSize(addressPrefix);
    in.addressMask = in.addressSize == 8 ? -1 : in.addressSize == 4 ? 0xFFFFFFFFL : 0xFFFF;
    if (InstructionTable.hasModrm(in.opcode, in.vex)) {
      modrm(in, rexByte);
    } else {
      in.rm = (in.opcode & 7) | (rexByte & 1) << 3;
      in.segment = in.segmentOverride >= 0 ? in.segmentOverride : Cpu.DS;
    }
    InstructionForm form = InstructionTable.find(in, cpu.system.cpuid);
    in.operandSize = operandSize(in, form);
    immediate(in, form);
    if (form.isByte) {
      in.operandSize = 1;
    }
    in.length = position - start;
    if (in.base == Instruction.BLOCK_RIP) {
      in.displacement += in.offset + in.length;
    }
    if (in.illegal || form.isForbidden(in)) {
      form = InstructionTable.RESERVED;
    }
    in.illegal = form == InstructionTable.RESERVED;
    return new Instruction(in, form);
  }

  private int opcode(int first) {
    if (first != 0x0F) {
      return first;
    }
    int second = next();
    return switch (second) {
      case 0x38 -> 0x200 | next();
      case 0x3A -> 0x300 | next();
      default -> 0x100 | second;
    };
  }

  /** Whether C4 or C5 begins VEX: outside 64-bit mode it is LES or LDS where memory follows. */
  private boolean isVex() {
    if (cpu.codeSize == 8) {
      return true;
    }
    boolean register = next() >= 0xC0;
    position--;
    return register;
  }

  /**
   * Reads VEX of two or three bytes and the opcode behind it (Intel SDM volume 2, 2.3.5). A map
   * that has no instructions leaves C4 as the opcode: nothing more is read.
   *
   * @return the bits R, X and B in their places in REX
   */
  private int vex(InstructionBuilder in, boolean three) {
    // A mandatory prefix, LOCK or REX before VEX is #UD.
    in.illegal = in.rex || in.lock || in.mandatoryPrefix != Instruction.PREFIX_NONE;
    int first = next();
    int second = three ? next() : first & 0x7F;
    boolean long64 = cpu.codeSize == 8;
    int map = three ? first & 0x1F : 1;
    in.vex = true;
    in.opcode = map >= 1 && map <= 3 ? map << 8 | next() : VEX3;
    in.mandatoryPrefix = VEX_PREFIXES[second & 3];
    in.vexL = (second & 4) != 0;
    in.vexW = second >= 0x80;
    in.vexRegister = ~second >> 3 & (long64 ? 15 : 7);
    in.rexW = long64 && in.vexW;
    int extensions = three ? ~first >> 5 & 7 : ~first >> 5 & 4;
    return long64 ? extensions : 0;
  }

  /** Whether an opcode has a vector of indices. */
  private static boolean isGather(int opcode) {
    return opcode >= 0x290 && opcode <= 0x293;
  }

  private int addressSize(boolean prefix) {
    return switch (cpu.codeSize) {
      case 8 -> prefix ? 4 : 8;
      case 4 -> prefix ? 2 : 4;
      default -> prefix ? 4 : 2;
    };
  }

  private int operandSize(InstructionBuilder in, InstructionForm form) {
    boolean prefix = in.operandPrefix;
    if (cpu.codeSize != 8) {
      return (cpu.codeSize == 4) != prefix ? 4 : 2;
    }
    if (in.rexW || form.executor == Executor.BRANCH) {
      return 8; // a near branch has 64 bits whatever its prefixes are
    }
    return prefix ? 2 : form.isStackSized ? 8 : 4;
  }

  private void immediate(InstructionBuilder in, InstructionForm form) {
    int z = in.operandSize == 2 ? 2 : 4;
    boolean defined = form.executor != Executor.UNDEFINED;
    switch (defined ? form.immediate : InstructionTable.immediateOfUndefined(in.opcode)) {
      case NONE -> {}
      case BYTE -> in.imm = signed(1);
      case WORD -> in.imm = signed(2) & 0xFFFF;
      case Z -> in.imm = signed(z);
      case V -> in.imm = signed(in.operandSize);
      case OFFSET -> in.imm = signed(in.addressSize) & in.addressMask;
      case FAR -> {
        in.imm = signed(z) & (z == 2 ? 0xFFFFL : 0xFFFFFFFFL);
        in.imm2 = (int) signed(2) & 0xFFFF;
      }
      case ENTER -> {
        in.imm = signed(2) & 0xFFFF;
        in.imm2 = next();
      }
    }
  }

  // ---- ModRM and SIB ----

  private void modrm(InstructionBuilder in, int rexByte) {
    int m = next();
    in.modrm = m;
    in.reg = (m >> 3 & 7) | (rexByte & 4) << 1;
    in.rm = (m & 7) | (rexByte & 1) << 3;
    // MOV to and from control and debug registers take the mode bits for a register.
    in.isMemory = m < 0xC0 && (in.vex || !InstructionTable.ignoresMod(in.opcode));
    if (!in.isMemory) {
      in.segment = in.segmentOverride >= 0 ? in.segmentOverride : Cpu.DS;
      return;
    }
    if (in.addressSize == 2) {
      address16(in, m);
    } else {
      address(in, m, rexByte);
    }
    if (in.segmentOverride >= 0) {
      in.segment = in.segmentOverride;
    }
  }

  private void address16(InstructionBuilder in, int m) {
    int mode = m >> 6;
    int rm = m & 7;
    in.base =
        switch (rm) {
          case 0, 1, 7 -> Cpu.RBX;
          case 2, 3 -> Cpu.RBP;
          case 4 -> Cpu.RSI;
          case 5 -> Cpu.RDI;
          default -> mode == 0 ? Instruction.NO_REGISTER : Cpu.RBP;
        };
    if (rm < 4) {
      in.index = (rm & 1) == 0 ? Cpu.RSI : Cpu.RDI;
    }
    in.segment = in.base == Cpu.RBP ? Cpu.SS : Cpu.DS;
    if (mode == 1) {
      in.displacement = signed(1);
    } else if (mode == 2 || rm == 6 && mode == 0) {
      in.displacement = signed(2);
    }
  }

  private void address(InstructionBuilder in, int m, int rexByte) {
    int mode = m >> 6;
    int base = m & 7;
    if (base == 4) {
      int sib = next();
      int index = (sib >> 3 & 7) | (rexByte & 2) << 2;
      if (in.vex && isGather(in.opcode)) {
        in.vectorIndex = index;
        in.scale = sib >> 6;
      } else if (index != 4) {
        in.index = index;
        in.scale = sib >> 6;
      }
      base = sib & 7;
      if (base == 5 && mode == 0) {
        in.displacement = signed(4);
      } else {
        in.base = base | (rexByte & 1) << 3;
      }
    } else if (base == 5 && mode == 0) {
      in.displacement = signed(4);
      if (cpu.codeSize == 8) {
        in.base = Instruction.BLOCK_RIP;
      }
    } else {
      in.base = base | (rexByte & 1) << 3;
    }
    in.segment = in.base == Cpu.RSP || in.base == Cpu.RBP ? Cpu.SS : Cpu.DS;
    if (mode == 1) {
      in.displacement = signed(1);
    } else if (mode == 2) {
      in.displacement = signed(4);
    }
  }
}
