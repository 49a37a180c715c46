package io.vmm4j.engine.software.system;

import static io.vmm4j.engine.software.cpu.Cpu.GP;
import static io.vmm4j.engine.software.cpu.Cpu.RAX;
import static io.vmm4j.engine.software.cpu.Cpu.RCX;
import static io.vmm4j.engine.software.cpu.Cpu.RDX;
import static io.vmm4j.engine.software.cpu.Cpu.UD;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.LeaveReason;
import io.vmm4j.engine.software.cpu.Mmu;
import io.vmm4j.engine.software.cpu.Segment;
import io.vmm4j.engine.x86.ControlBits;

/**
 * The system instructions (Intel SDM volume 2), by opcode. Before it is called {@link Cpu#rip} is
 * at the next instruction and {@link Cpu#currentRip} at this one.
 */
public final class SystemOps {
  private SystemOps() {}

  /** Executes one; guest exceptions are thrown with nothing changed. */
  public static void execute(Cpu cpu, Instruction in) {
    switch (in.opcode >> 8) {
      case 0 -> oneByte(cpu, in);
      case 1 -> twoByte(cpu, in);
      default -> {
        if (in.opcode == 0x282 && in.mandatoryPrefix == Instruction.PREFIX_66 && in.isMemory) {
          invalidatePcid(cpu, in);
        } else {
          throw cpu.undefined(in);
        }
      }
    }
  }

  private static void oneByte(Cpu cpu, Instruction in) {
    switch (in.opcode) {
      case 0x06, 0x0E, 0x16, 0x1E -> pushSegment(cpu, in.opcode >> 3, in.operandSize);
      case 0x07, 0x17, 0x1F -> popSegment(cpu, in.opcode >> 3, in.operandSize);
      case 0x62 -> bound(cpu, in);
      case 0x63 -> adjustPrivilege(cpu, in);
      case 0x6C, 0x6D, 0x6E, 0x6F -> PortOps.string(cpu, in);
      case 0x8C -> storeSegment(cpu, in);
      case 0x8E -> loadSegment(cpu, in);
      case 0x9A -> FarTransfers.call(cpu, in.imm2, in.imm, in.operandSize);
      case 0xEA -> FarTransfers.jump(cpu, in.imm2, in.imm, in.operandSize);
      case 0x9C -> FlagOps.push(cpu, in.operandSize);
      case 0x9D -> FlagOps.pop(cpu, in.operandSize);
      case 0xC4 -> loadFarPointer(cpu, in, Cpu.ES);
      case 0xC5 -> loadFarPointer(cpu, in, Cpu.DS);
      case 0xCA -> FarTransfers.ret(cpu, in.operandSize, (int) in.imm & 0xFFFF);
      case 0xCB -> FarTransfers.ret(cpu, in.operandSize, 0);
      case 0xCC -> Events.softwareInterrupt(cpu, Cpu.BP);
      case 0xCD -> interrupt(cpu, (int) in.imm & 0xFF);
      case 0xCE -> {
        if ((cpu.eflags() & Flags.OF) != 0) {
          Events.softwareInterrupt(cpu, Cpu.OF);
        }
      }
      case 0xCF -> InterruptReturn.execute(cpu, in.operandSize);
      case 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF -> PortOps.single(cpu, in);
      case 0xF1 -> Events.deliverInt1(cpu);
      case 0xF4 -> {
        requireSupervisor(cpu);
        cpu.halted = true;
        cpu.leaveBlock(LeaveReason.HALT);
      }
      case 0xFA -> FlagOps.clearInterrupt(cpu);
      case 0xFB -> FlagOps.setInterrupt(cpu);
      case 0xFF -> farIndirect(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  private static void twoByte(Cpu cpu, Instruction in) {
    switch (in.opcode & 0xFF) {
      case 0x00 -> group6(cpu, in);
      case 0x01 -> group7(cpu, in);
      case 0x02 -> descriptorQuestion(cpu, in, true);
      case 0x03 -> descriptorQuestion(cpu, in, false);
      case 0x05 -> FastCalls.sysCall(cpu);
      case 0x06 -> {
        requireSupervisor(cpu);
        cpu.cr0 &= ~ControlBits.CR0_TS;
        cpu.modeChanged();
      }
      case 0x07 -> FastCalls.sysReturn(cpu, in.rexW ? 8 : 4);
      case 0x08, 0x09 -> requireSupervisor(cpu);
      case 0x0B, 0xB9, 0xFF, 0xAA -> throw cpu.raise(UD);
      case 0x20, 0x21, 0x22, 0x23 -> moveControl(cpu, in);
      case 0x30 -> {
        requireSupervisor(cpu);
        cpu.system.msrs.write((int) cpu.gpr[RCX], pair(cpu));
        cpu.leaveBlock(LeaveReason.MODE);
      }
      case 0x31 -> {
        readTimeStamp(cpu);
      }
      case 0x32 -> {
        requireSupervisor(cpu);
        setPair(cpu, cpu.system.msrs.read((int) cpu.gpr[RCX]));
      }
      case 0x33 -> throw cpu.raise(GP, 0); // no performance counters
      case 0x34 -> FastCalls.sysEnter(cpu);
      case 0x35 -> FastCalls.sysExit(cpu, in.rexW ? 8 : 4);
      case 0xA0 -> pushSegment(cpu, Cpu.FS, in.operandSize);
      case 0xA1 -> popSegment(cpu, Cpu.FS, in.operandSize);
      case 0xA8 -> pushSegment(cpu, Cpu.GS, in.operandSize);
      case 0xA9 -> popSegment(cpu, Cpu.GS, in.operandSize);
      case 0xA2 -> cpu.system.cpuid.execute();
      case 0xAE -> segmentBase(cpu, in);
      case 0xB2 -> loadFarPointer(cpu, in, Cpu.SS);
      case 0xB4 -> loadFarPointer(cpu, in, Cpu.FS);
      case 0xB5 -> loadFarPointer(cpu, in, Cpu.GS);
      case 0xC7 -> random(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  // ---- help ----

  private static void requireSupervisor(Cpu cpu) {
    if (cpu.cpl != 0) {
      throw cpu.raise(GP, 0);
    }
  }

  private static void requireProtected(Cpu cpu) {
    if (!cpu.protectedMode) {
      throw cpu.raise(UD);
    }
  }

  private static void checkUserMode(Cpu cpu) {
    if (cpu.cpl != 0 && (cpu.cr4 & ControlBits.CR4_UMIP) != 0) {
      throw cpu.raise(GP, 0);
    }
  }

  private static long pair(Cpu cpu) {
    return cpu.gpr[RDX] << 32 | cpu.gpr[RAX] & 0xFFFFFFFFL;
  }

  private static void setPair(Cpu cpu, long value) {
    cpu.gpr[RAX] = value & 0xFFFFFFFFL;
    cpu.gpr[RDX] = value >>> 32;
  }

  /** A 16-bit operand, which most of these have. */
  private static int operand16(Cpu cpu, Instruction in) {
    return in.isMemory
        ? cpu.mmu.read16(cpu.linearAddress(in, 2, false))
        : (int) cpu.gpr[in.rm] & 0xFFFF;
  }

  /** Stores a word: 16 bits in memory, the operand size in a register. */
  private static void storeWord(Cpu cpu, Instruction in, long value) {
    if (in.isMemory) {
      cpu.mmu.write16(cpu.linearAddress(in, 2, true), (int) value);
    } else {
      cpu.setReg(in.rm, in.operandSize, value);
    }
  }

  // ---- segment registers ----

  private static void pushSegment(Cpu cpu, int index, int size) {
    int selector = cpu.seg[index].selector;
    if (size == 4) {
      // Intel processors write 16 bits of the 32 (SDM volume 2, PUSH).
      long sp = cpu.gpr[Cpu.RSP] - 4 & cpu.stackMask;
      cpu.mmu.write16(cpu.linear(Cpu.SS, sp, 2, true), selector);
      cpu.setStackPointer(sp);
    } else {
      cpu.push(selector, size);
    }
  }

  private static void popSegment(Cpu cpu, int index, int size) {
    int selector = (int) cpu.peek(0, 2);
    long stackPointer = cpu.gpr[Cpu.RSP] + size;
    long mask = cpu.stackMask;
    Segmentation.load(cpu, index, selector);
    // The width of the stack is that of before the load.
    cpu.gpr[Cpu.RSP] = cpu.gpr[Cpu.RSP] & ~mask | stackPointer & mask;
    if (mask == 0xFFFFFFFFL) {
      cpu.gpr[Cpu.RSP] &= mask;
    }
    if (index == Cpu.SS) {
      cpu.shadowMovSs = true;
    }
    cpu.leaveBlock(LeaveReason.MODE);
  }

  private static void storeSegment(Cpu cpu, Instruction in) {
    if (in.extension() > Cpu.GS) {
      throw cpu.raise(UD);
    }
    storeWord(cpu, in, cpu.seg[in.extension()].selector);
  }

  private static void loadSegment(Cpu cpu, Instruction in) {
    int index = in.extension();
    if (index > Cpu.GS || index == Cpu.CS) {
      throw cpu.raise(UD);
    }
    Segmentation.load(cpu, index, operand16(cpu, in));
    if (index == Cpu.SS) {
      cpu.shadowMovSs = true;
    }
    cpu.leaveBlock(LeaveReason.MODE);
  }

  private static void loadFarPointer(Cpu cpu, Instruction in, int index) {
    if (!in.isMemory) {
      throw cpu.raise(UD);
    }
    int size = in.operandSize;
    long linear = cpu.linearAddress(in, size + 2, false);
    long offset = cpu.mmu.read(linear, size);
    int selector = cpu.mmu.read16(linear + size);
    Segmentation.load(cpu, index, selector);
    cpu.setReg(in.reg, size, offset);
  }

  private static void farIndirect(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    long linear = cpu.linearAddress(in, size + 2, false);
    long offset = cpu.mmu.read(linear, size);
    int selector = cpu.mmu.read16(linear + size);
    if (in.extension() == 3) {
      FarTransfers.call(cpu, selector, offset, size);
    } else {
      FarTransfers.jump(cpu, selector, offset, size);
    }
  }

  /** ARPL: a selector that stays as it is is not written, and may be in memory that can't be. */
  private static void adjustPrivilege(Cpu cpu, Instruction in) {
    requireProtected(cpu);
    int wanted = (int) cpu.gpr[in.reg] & 3;
    int selector = operand16(cpu, in);
    boolean raise = (selector & 3) < wanted;
    if (raise && in.isMemory) {
      cpu.mmu.write16(cpu.linearAddress(in, 2, true), selector & ~3 | wanted);
    } else if (raise) {
      cpu.setReg(in.rm, 2, selector & ~3 | wanted);
    }
    Segmentation.setZero(cpu, raise);
  }

  private static void bound(Cpu cpu, Instruction in) {
    if (!in.isMemory) {
      throw cpu.raise(UD);
    }
    int size = in.operandSize;
    long linear = cpu.linearAddress(in, 2 * size, false);
    long lower = Flags.signExtend(cpu.mmu.read(linear, size), size);
    long upper = Flags.signExtend(cpu.mmu.read(linear + size, size), size);
    long value = Flags.signExtend(cpu.gpr[in.reg], size);
    if (value < lower || value > upper) {
      throw cpu.raise(Cpu.BR);
    }
  }

  private static void interrupt(Cpu cpu, int vector) {
    if ((cpu.systemFlags & Flags.VM) != 0 && cpu.iopl() < 3) {
      throw cpu.raise(GP, 0);
    }
    Events.softwareInterrupt(cpu, vector);
  }

  // ---- groups ----

  private static void group6(Cpu cpu, Instruction in) {
    int which = in.extension();
    if (which > 5) {
      throw cpu.raise(UD);
    }
    requireProtected(cpu);
    switch (which) {
      case 0 -> {
        checkUserMode(cpu);
        storeWord(cpu, in, cpu.seg[Cpu.LDTR].selector);
      }
      case 1 -> {
        checkUserMode(cpu);
        storeWord(cpu, in, cpu.seg[Cpu.TR].selector);
      }
      case 2 -> {
        requireSupervisor(cpu);
        Segmentation.loadLocalTable(cpu, operand16(cpu, in));
      }
      case 3 -> {
        requireSupervisor(cpu);
        Segmentation.loadTask(cpu, operand16(cpu, in));
      }
      case 4 -> Segmentation.verify(cpu, operand16(cpu, in), false);
      default -> Segmentation.verify(cpu, operand16(cpu, in), true);
    }
  }

  private static void group7(Cpu cpu, Instruction in) {
    int which = in.extension();
    if (!in.isMemory && which != 4 && which != 6) {
      group7Register(cpu, in);
      return;
    }
    switch (which) {
      case 0 -> storeTable(cpu, in, cpu.gdtrBase, cpu.gdtrLimit);
      case 1 -> storeTable(cpu, in, cpu.idtrBase, cpu.idtrLimit);
      case 2, 3 -> loadTable(cpu, in, which == 3);
      case 4 -> {
        checkUserMode(cpu);
        storeWord(cpu, in, cpu.cr0);
      }
      case 6 -> {
        requireSupervisor(cpu);
        ControlRegisters.loadStatusWord(cpu, operand16(cpu, in));
      }
      case 7 -> {
        requireSupervisor(cpu);
        long linear = cpu.effectiveAddress(in) + cpu.segBase[in.segment];
        cpu.mmu.flushPage(cpu.codeSize == 8 ? linear : linear & 0xFFFFFFFFL);
        cpu.leaveBlock(LeaveReason.TRANSLATION);
      }
      default -> throw cpu.raise(UD);
    }
  }

  private static void storeTable(Cpu cpu, Instruction in, long base, int limit) {
    checkUserMode(cpu);
    int baseSize = cpu.codeSize == 8 ? 8 : 4;
    long linear = cpu.linearAddress(in, 2 + baseSize, true);
    cpu.mmu.probe(linear, 2 + baseSize, Mmu.WRITE);
    cpu.mmu.write16(linear, limit);
    cpu.mmu.write(linear + 2, baseSize, base);
  }

  private static void loadTable(Cpu cpu, Instruction in, boolean interrupts) {
    requireSupervisor(cpu);
    int baseSize = cpu.codeSize == 8 ? 8 : 4;
    long linear = cpu.linearAddress(in, 2 + baseSize, false);
    int limit = cpu.mmu.read16(linear);
    long base = cpu.mmu.read(linear + 2, baseSize);
    if (cpu.codeSize == 8 && !Descriptor.isCanonical(base)) {
      throw cpu.raise(GP, 0);
    }
    if (cpu.codeSize != 8 && in.operandSize == 2) {
      base &= 0xFFFFFF;
    }
    if (interrupts) {
      cpu.idtrBase = base;
      cpu.idtrLimit = limit;
    } else {
      cpu.gdtrBase = base;
      cpu.gdtrLimit = limit;
    }
  }

  private static void group7Register(Cpu cpu, Instruction in) {
    if (in.mandatoryPrefix != Instruction.PREFIX_NONE) {
      throw cpu.raise(UD);
    }
    switch (in.modrm) {
      case 0xCA, 0xCB -> {
        if (cpu.cpl != 0 || !cpu.system.cpuid.structuredEbx(20)) {
          throw cpu.raise(UD);
        }
        cpu.systemFlags = cpu.systemFlags & ~Flags.AC | (in.modrm == 0xCB ? Flags.AC : 0);
        cpu.modeChanged();
      }
      case 0xD0 -> {
        requireExtendedState(cpu);
        if ((int) cpu.gpr[RCX] != 0) {
          throw cpu.raise(GP, 0);
        }
        setPair(cpu, cpu.xcr0);
      }
      case 0xD1 -> {
        requireExtendedState(cpu);
        requireSupervisor(cpu);
        long value = pair(cpu);
        boolean allowed = (value & ~cpu.system.cpuid.xcr0Bits()) == 0 && (value & 1) != 0;
        if ((int) cpu.gpr[RCX] != 0 || !allowed) {
          throw cpu.raise(GP, 0);
        }
        cpu.xcr0 = value;
      }
      case 0xEE -> {
        requireProtectionKeys(cpu);
        setPair(cpu, cpu.pkru & 0xFFFF_FFFFL);
      }
      case 0xEF -> {
        requireProtectionKeys(cpu);
        if ((int) cpu.gpr[RDX] != 0) {
          throw cpu.raise(GP, 0);
        }
        cpu.setProtectionKeys((int) cpu.gpr[RAX], cpu.pkrs);
      }
      case 0xF8 -> {
        if (cpu.codeSize != 8) {
          throw cpu.raise(UD);
        }
        requireSupervisor(cpu);
        long base = cpu.seg[Cpu.GS].base;
        cpu.system.msrs.setBase(Cpu.GS, cpu.system.msrs.kernelGsBase);
        cpu.system.msrs.kernelGsBase = base;
      }
      case 0xF9 -> {
        if (!cpu.system.cpuid.extendedEdx(27)) {
          throw cpu.raise(UD);
        }
        readTimeStamp(cpu);
        cpu.gpr[RCX] = cpu.system.msrs.tscAux;
      }
      default -> throw cpu.raise(UD); // VMX, MONITOR and MWAIT among them
    }
  }

  private static void requireExtendedState(Cpu cpu) {
    if ((cpu.cr4 & ControlBits.CR4_OSXSAVE) == 0) {
      throw cpu.raise(UD);
    }
  }

  /** The checks that RDPKRU and WRPKRU share. */
  private static void requireProtectionKeys(Cpu cpu) {
    if ((cpu.cr4 & ControlBits.CR4_PKE) == 0) {
      throw cpu.raise(UD);
    }
    if ((int) cpu.gpr[RCX] != 0) {
      throw cpu.raise(GP, 0);
    }
  }

  private static void readTimeStamp(Cpu cpu) {
    boolean restricted = (cpu.cr4 & ControlBits.CR4_TSD) != 0 && (cpu.cr0 & 1) != 0;
    if (restricted && cpu.cpl != 0) {
      throw cpu.raise(GP, 0);
    }
    setPair(cpu, cpu.system.msrs.tsc());
  }

  private static void descriptorQuestion(Cpu cpu, Instruction in, boolean rights) {
    requireProtected(cpu);
    int selector = operand16(cpu, in);
    long answer =
        rights ? Segmentation.accessRights(cpu, selector) : Segmentation.limit(cpu, selector);
    if (answer >= 0) {
      cpu.setReg(in.reg, in.operandSize, answer);
    }
    Segmentation.setZero(cpu, answer >= 0);
  }

  private static void moveControl(Cpu cpu, Instruction in) {
    int size = in.codeSize == 8 ? 8 : 4;
    boolean debug = (in.opcode & 1) != 0;
    boolean toRegister = (in.opcode & 2) == 0;
    if (debug) {
      if (toRegister) {
        cpu.setReg(in.rm, size, DebugRegisters.read(cpu, in.reg));
      } else {
        DebugRegisters.write(cpu, in.reg, cpu.reg(in.rm, size));
      }
      return;
    }
    if (in.reg != 0 && in.reg != 2 && in.reg != 3 && in.reg != 4 && in.reg != 8) {
      throw cpu.raise(UD);
    }
    requireSupervisor(cpu);
    if (toRegister) {
      cpu.setReg(in.rm, size, ControlRegisters.read(cpu, in.reg));
    } else {
      ControlRegisters.write(cpu, in.reg, cpu.reg(in.rm, size));
    }
  }

  // ---- RDFSBASE and its family, RDRAND, INVPCID ----

  private static void segmentBase(Cpu cpu, Instruction in) {
    int which = in.extension();
    boolean enabled = (cpu.cr4 & ControlBits.CR4_FSGSBASE) != 0 && cpu.codeSize == 8;
    if (which > 3 || !enabled) {
      throw cpu.raise(UD);
    }
    Segment s = cpu.seg[(which & 1) == 0 ? Cpu.FS : Cpu.GS];
    int size = in.rexW ? 8 : 4;
    if (which < 2) {
      cpu.setReg(in.rm, size, s.base);
      return;
    }
    long base = cpu.reg(in.rm, size);
    if (!Descriptor.isCanonical(base)) {
      throw cpu.raise(GP, 0);
    }
    cpu.system.msrs.setBase((which & 1) == 0 ? Cpu.FS : Cpu.GS, base);
  }

  private static void random(Cpu cpu, Instruction in) {
    boolean seed = in.extension() == 7;
    boolean has = seed ? cpu.system.cpuid.structuredEbx(18) : cpu.system.cpuid.featureEcx(30);
    if (!has || in.repeat != 0 || in.isMemory) {
      throw cpu.raise(UD);
    }
    cpu.setReg(in.rm, in.operandSize, RandomNumbers.next(cpu));
    cpu.setArithmeticFlags(Flags.CF);
  }

  private static void invalidatePcid(Cpu cpu, Instruction in) {
    if (!cpu.system.cpuid.structuredEbx(10)) {
      throw cpu.raise(UD);
    }
    requireSupervisor(cpu);
    int size = in.codeSize == 8 ? 8 : 4;
    long linear = cpu.linearAddress(in, 16, false);
    long pcid = cpu.mmu.read64(linear);
    long address = cpu.mmu.read64(linear + 8);
    long type = cpu.reg(in.reg, size);
    boolean pcidOff = (cpu.cr4 & ControlBits.CR4_PCIDE) == 0;
    boolean wrong =
        Long.compareUnsigned(type, 3) > 0
            || (pcid & ~0xFFFL) != 0 && type < 2
            || type < 2 && pcidOff && pcid != 0
            || type == 0 && !Descriptor.isCanonical(address);
    if (wrong) {
      throw cpu.raise(GP, 0);
    }
    cpu.mmu.flush();
    cpu.leaveBlock(LeaveReason.TRANSLATION);
  }
}
