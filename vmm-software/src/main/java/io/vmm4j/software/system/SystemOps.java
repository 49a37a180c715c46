package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.RAX;
import static io.vmm4j.software.cpu.Cpu.RCX;
import static io.vmm4j.software.cpu.Cpu.RDX;
import static io.vmm4j.software.cpu.Cpu.UD;
import static io.vmm4j.software.cpu.Mnemonic.ARPL;
import static io.vmm4j.software.cpu.Mnemonic.BOUND;
import static io.vmm4j.software.cpu.Mnemonic.CALL_FAR;
import static io.vmm4j.software.cpu.Mnemonic.CLAC;
import static io.vmm4j.software.cpu.Mnemonic.CLI;
import static io.vmm4j.software.cpu.Mnemonic.CLTS;
import static io.vmm4j.software.cpu.Mnemonic.CPUID;
import static io.vmm4j.software.cpu.Mnemonic.HLT;
import static io.vmm4j.software.cpu.Mnemonic.IN;
import static io.vmm4j.software.cpu.Mnemonic.INS;
import static io.vmm4j.software.cpu.Mnemonic.INT;
import static io.vmm4j.software.cpu.Mnemonic.INT1;
import static io.vmm4j.software.cpu.Mnemonic.INT3;
import static io.vmm4j.software.cpu.Mnemonic.INTO;
import static io.vmm4j.software.cpu.Mnemonic.INVD;
import static io.vmm4j.software.cpu.Mnemonic.INVLPG;
import static io.vmm4j.software.cpu.Mnemonic.INVPCID;
import static io.vmm4j.software.cpu.Mnemonic.IRET;
import static io.vmm4j.software.cpu.Mnemonic.JMP_FAR;
import static io.vmm4j.software.cpu.Mnemonic.LAR;
import static io.vmm4j.software.cpu.Mnemonic.LDS;
import static io.vmm4j.software.cpu.Mnemonic.LES;
import static io.vmm4j.software.cpu.Mnemonic.LFS;
import static io.vmm4j.software.cpu.Mnemonic.LGDT;
import static io.vmm4j.software.cpu.Mnemonic.LGS;
import static io.vmm4j.software.cpu.Mnemonic.LIDT;
import static io.vmm4j.software.cpu.Mnemonic.LLDT;
import static io.vmm4j.software.cpu.Mnemonic.LMSW;
import static io.vmm4j.software.cpu.Mnemonic.LSL;
import static io.vmm4j.software.cpu.Mnemonic.LSS;
import static io.vmm4j.software.cpu.Mnemonic.LTR;
import static io.vmm4j.software.cpu.Mnemonic.MOV_FROM_CR;
import static io.vmm4j.software.cpu.Mnemonic.MOV_FROM_DR;
import static io.vmm4j.software.cpu.Mnemonic.MOV_FROM_SEGMENT;
import static io.vmm4j.software.cpu.Mnemonic.MOV_TO_CR;
import static io.vmm4j.software.cpu.Mnemonic.MOV_TO_DR;
import static io.vmm4j.software.cpu.Mnemonic.MOV_TO_SEGMENT;
import static io.vmm4j.software.cpu.Mnemonic.OUT;
import static io.vmm4j.software.cpu.Mnemonic.OUTS;
import static io.vmm4j.software.cpu.Mnemonic.POPF;
import static io.vmm4j.software.cpu.Mnemonic.POP_SEGMENT;
import static io.vmm4j.software.cpu.Mnemonic.PUSHF;
import static io.vmm4j.software.cpu.Mnemonic.PUSH_SEGMENT;
import static io.vmm4j.software.cpu.Mnemonic.RDFSBASE;
import static io.vmm4j.software.cpu.Mnemonic.RDGSBASE;
import static io.vmm4j.software.cpu.Mnemonic.RDMSR;
import static io.vmm4j.software.cpu.Mnemonic.RDPKRU;
import static io.vmm4j.software.cpu.Mnemonic.RDPMC;
import static io.vmm4j.software.cpu.Mnemonic.RDRAND;
import static io.vmm4j.software.cpu.Mnemonic.RDSEED;
import static io.vmm4j.software.cpu.Mnemonic.RDTSC;
import static io.vmm4j.software.cpu.Mnemonic.RDTSCP;
import static io.vmm4j.software.cpu.Mnemonic.RET_FAR;
import static io.vmm4j.software.cpu.Mnemonic.RSM;
import static io.vmm4j.software.cpu.Mnemonic.SGDT;
import static io.vmm4j.software.cpu.Mnemonic.SIDT;
import static io.vmm4j.software.cpu.Mnemonic.SLDT;
import static io.vmm4j.software.cpu.Mnemonic.SMSW;
import static io.vmm4j.software.cpu.Mnemonic.STAC;
import static io.vmm4j.software.cpu.Mnemonic.STI;
import static io.vmm4j.software.cpu.Mnemonic.STR;
import static io.vmm4j.software.cpu.Mnemonic.SWAPGS;
import static io.vmm4j.software.cpu.Mnemonic.SYSCALL;
import static io.vmm4j.software.cpu.Mnemonic.SYSENTER;
import static io.vmm4j.software.cpu.Mnemonic.SYSEXIT;
import static io.vmm4j.software.cpu.Mnemonic.SYSRET;
import static io.vmm4j.software.cpu.Mnemonic.UD0;
import static io.vmm4j.software.cpu.Mnemonic.UD1;
import static io.vmm4j.software.cpu.Mnemonic.UD2;
import static io.vmm4j.software.cpu.Mnemonic.VERR;
import static io.vmm4j.software.cpu.Mnemonic.VERW;
import static io.vmm4j.software.cpu.Mnemonic.WBINVD;
import static io.vmm4j.software.cpu.Mnemonic.WRFSBASE;
import static io.vmm4j.software.cpu.Mnemonic.WRGSBASE;
import static io.vmm4j.software.cpu.Mnemonic.WRMSR;
import static io.vmm4j.software.cpu.Mnemonic.WRPKRU;
import static io.vmm4j.software.cpu.Mnemonic.XGETBV;
import static io.vmm4j.software.cpu.Mnemonic.XSETBV;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.LeaveReason;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.XsaveLayout;

/**
 * The system instructions (Intel SDM volume 2). Before it is called {@link Cpu#rip} is at the next
 * instruction and {@link Cpu#currentRip} at this one.
 */
public final class SystemOps {
  private SystemOps() {}

  /** Executes one; guest exceptions are thrown with nothing changed. */
  public static void execute(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    switch (in.mnemonic) {
      case PUSH_SEGMENT -> pushSegment(cpu, in.form.segment, size);
      case POP_SEGMENT -> popSegment(cpu, in.form.segment, size);
      case MOV_FROM_SEGMENT -> storeWord(cpu, in, cpu.seg[in.extension()].selector);
      case MOV_TO_SEGMENT -> loadSegment(cpu, in);
      case LES -> loadFarPointer(cpu, in, Cpu.ES);
      case LDS -> loadFarPointer(cpu, in, Cpu.DS);
      case LSS -> loadFarPointer(cpu, in, Cpu.SS);
      case LFS -> loadFarPointer(cpu, in, Cpu.FS);
      case LGS -> loadFarPointer(cpu, in, Cpu.GS);
      case CALL_FAR, JMP_FAR -> farTransfer(cpu, in);
      case RET_FAR -> FarTransfers.ret(cpu, size, (int) in.imm & 0xFFFF);
      case INT -> interrupt(cpu, (int) in.imm & 0xFF);
      case INT1 -> Events.deliverInt1(cpu);
      case INT3 -> Events.softwareInterrupt(cpu, Cpu.BP);
      case INTO -> {
        if ((cpu.eflags() & Flags.OF) != 0) {
          Events.softwareInterrupt(cpu, Cpu.OF);
        }
      }
      case IRET -> InterruptReturn.execute(cpu, size);
      case BOUND -> bound(cpu, in);
      case PUSHF -> FlagOps.push(cpu, size);
      case POPF -> FlagOps.pop(cpu, size);
      case CLI -> FlagOps.clearInterrupt(cpu);
      case STI -> FlagOps.setInterrupt(cpu);
      case HLT -> {
        requireSupervisor(cpu);
        cpu.halted = true;
        cpu.leaveBlock(LeaveReason.HALT);
      }
      case SYSCALL -> FastCalls.sysCall(cpu);
      case SYSRET -> FastCalls.sysReturn(cpu, in.rexW ? 8 : 4);
      case SYSENTER -> FastCalls.sysEnter(cpu);
      case SYSEXIT -> FastCalls.sysExit(cpu, in.rexW ? 8 : 4);
      case CPUID -> cpu.system.cpuid.execute();
      case RDTSC -> readTimeStamp(cpu);
      case RDRAND, RDSEED -> random(cpu, in);
      case IN, OUT, INS, OUTS -> PortOps.execute(cpu, in);
      case UD0, UD1, UD2, RSM -> throw cpu.raise(UD);
      default -> executeControl(cpu, in);
    }
  }

  /** What system software uses: control registers, tables and caches. */
  private static void executeControl(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case ARPL -> adjustPrivilege(cpu, in);
      case LAR, LSL, VERR, VERW -> descriptorQuestion(cpu, in);
      case SLDT, STR, LLDT, LTR -> systemSegment(cpu, in);
      case SGDT -> storeTable(cpu, in, cpu.gdtrBase, cpu.gdtrLimit);
      case SIDT -> storeTable(cpu, in, cpu.idtrBase, cpu.idtrLimit);
      case LGDT, LIDT -> loadTable(cpu, in, in.mnemonic == LIDT);
      case SMSW -> {
        checkUserMode(cpu);
        storeWord(cpu, in, cpu.cr0);
      }
      case LMSW -> {
        requireSupervisor(cpu);
        ControlRegisters.loadStatusWord(cpu, operand16(cpu, in));
      }
      case CLTS -> {
        requireSupervisor(cpu);
        cpu.cr0 &= ~ControlBits.CR0_TS;
        cpu.modeChanged();
      }
      case MOV_FROM_CR, MOV_TO_CR -> moveControl(cpu, in);
      case MOV_FROM_DR -> cpu.setReg(in.rm, controlSize(in), DebugRegisters.read(cpu, in.reg));
      case MOV_TO_DR -> DebugRegisters.write(cpu, in.reg, cpu.reg(in.rm, controlSize(in)));
      case INVD, WBINVD -> requireSupervisor(cpu);
      case INVLPG -> {
        requireSupervisor(cpu);
        long linear = cpu.effectiveAddress(in) + cpu.segBase[in.segment];
        cpu.mmu.flushPage(cpu.codeSize == 8 ? linear : linear & 0xFFFFFFFFL);
        cpu.leaveBlock(LeaveReason.TRANSLATION);
      }
      case INVPCID -> invalidatePcid(cpu, in);
      case RDMSR -> {
        requireSupervisor(cpu);
        setPair(cpu, cpu.system.msrs.read((int) cpu.gpr[RCX]));
      }
      case WRMSR -> {
        requireSupervisor(cpu);
        cpu.system.msrs.write((int) cpu.gpr[RCX], pair(cpu));
        cpu.leaveBlock(LeaveReason.MODE);
      }
      case RDPMC -> throw cpu.raise(GP, 0); // no performance counters
      case RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE -> segmentBase(cpu, in);
      default -> executeState(cpu, in);
    }
  }

  /** Those of 0F 01 whose ModRM byte is part of the opcode. */
  private static void executeState(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case CLAC, STAC -> {
        if (cpu.cpl != 0 || !cpu.system.cpuid.structuredEbx(20)) {
          throw cpu.raise(UD);
        }
        cpu.systemFlags = cpu.systemFlags & ~Flags.AC | (in.mnemonic == STAC ? Flags.AC : 0);
        cpu.modeChanged();
      }
      case XGETBV -> {
        requireExtendedState(cpu);
        if ((int) cpu.gpr[RCX] != 0) {
          throw cpu.raise(GP, 0);
        }
        setPair(cpu, cpu.xcr0);
      }
      case XSETBV -> {
        requireExtendedState(cpu);
        requireSupervisor(cpu);
        long value = pair(cpu);
        boolean allowed =
            (value & ~cpu.system.cpuid.xcr0Bits()) == 0
                && (value & 1) != 0
                && (value & (XsaveLayout.SSE | XsaveLayout.AVX)) != XsaveLayout.AVX;
        if ((int) cpu.gpr[RCX] != 0 || !allowed) {
          throw cpu.raise(GP, 0);
        }
        cpu.xcr0 = value;
      }
      case RDPKRU -> {
        requireProtectionKeys(cpu);
        setPair(cpu, cpu.pkru & 0xFFFF_FFFFL);
      }
      case WRPKRU -> {
        requireProtectionKeys(cpu);
        if ((int) cpu.gpr[RDX] != 0) {
          throw cpu.raise(GP, 0);
        }
        cpu.setProtectionKeys((int) cpu.gpr[RAX], cpu.pkrs);
      }
      case SWAPGS -> {
        if (cpu.codeSize != 8) {
          throw cpu.raise(UD);
        }
        requireSupervisor(cpu);
        long base = cpu.seg[Cpu.GS].base;
        cpu.system.msrs.setBase(Cpu.GS, cpu.system.msrs.kernelGsBase);
        cpu.system.msrs.kernelGsBase = base;
      }
      case RDTSCP -> {
        if (!cpu.system.cpuid.extendedEdx(27)) {
          throw cpu.raise(UD);
        }
        readTimeStamp(cpu);
        cpu.gpr[RCX] = cpu.system.msrs.tscAux;
      }
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

  private static void loadSegment(Cpu cpu, Instruction in) {
    int index = in.extension();
    Segmentation.load(cpu, index, operand16(cpu, in));
    if (index == Cpu.SS) {
      cpu.shadowMovSs = true;
    }
    cpu.leaveBlock(LeaveReason.MODE);
  }

  private static void loadFarPointer(Cpu cpu, Instruction in, int index) {
    int size = in.operandSize;
    long linear = cpu.linearAddress(in, size + 2, false);
    long offset = cpu.mmu.read(linear, size);
    int selector = cpu.mmu.read16(linear + size);
    Segmentation.load(cpu, index, selector);
    cpu.setReg(in.reg, size, offset);
  }

  /** A far call or jump to a pointer that is in the instruction or in memory. */
  private static void farTransfer(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    long offset = in.imm;
    int selector = in.imm2;
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size + 2, false);
      offset = cpu.mmu.read(linear, size);
      selector = cpu.mmu.read16(linear + size);
    }
    if (in.mnemonic == CALL_FAR) {
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

  // ---- descriptor tables ----

  private static void systemSegment(Cpu cpu, Instruction in) {
    requireProtected(cpu);
    switch (in.mnemonic) {
      case SLDT, STR -> {
        checkUserMode(cpu);
        storeWord(cpu, in, cpu.seg[in.mnemonic == SLDT ? Cpu.LDTR : Cpu.TR].selector);
      }
      case LLDT -> {
        requireSupervisor(cpu);
        Segmentation.loadLocalTable(cpu, operand16(cpu, in));
      }
      default -> {
        requireSupervisor(cpu);
        Segmentation.loadTask(cpu, operand16(cpu, in));
      }
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

  /** LAR, LSL, VERR and VERW. */
  private static void descriptorQuestion(Cpu cpu, Instruction in) {
    requireProtected(cpu);
    int selector = operand16(cpu, in);
    if (in.mnemonic == VERR || in.mnemonic == VERW) {
      Segmentation.verify(cpu, selector, in.mnemonic == VERW);
      return;
    }
    long answer =
        in.mnemonic == LAR
            ? Segmentation.accessRights(cpu, selector)
            : Segmentation.limit(cpu, selector);
    if (answer >= 0) {
      cpu.setReg(in.reg, in.operandSize, answer);
    }
    Segmentation.setZero(cpu, answer >= 0);
  }

  private static int controlSize(Instruction in) {
    return in.codeSize == 8 ? 8 : 4;
  }

  private static void moveControl(Cpu cpu, Instruction in) {
    if (in.reg != 0 && in.reg != 2 && in.reg != 3 && in.reg != 4 && in.reg != 8) {
      throw cpu.raise(UD);
    }
    requireSupervisor(cpu);
    int size = controlSize(in);
    if (in.mnemonic == MOV_FROM_CR) {
      cpu.setReg(in.rm, size, ControlRegisters.read(cpu, in.reg));
    } else {
      ControlRegisters.write(cpu, in.reg, cpu.reg(in.rm, size));
    }
  }

  // ---- RDFSBASE and its family, RDRAND, INVPCID ----

  private static void segmentBase(Cpu cpu, Instruction in) {
    if ((cpu.cr4 & ControlBits.CR4_FSGSBASE) == 0 || cpu.codeSize != 8) {
      throw cpu.raise(UD);
    }
    boolean fs = in.mnemonic == RDFSBASE || in.mnemonic == WRFSBASE;
    int segment = fs ? Cpu.FS : Cpu.GS;
    int size = in.rexW ? 8 : 4;
    if (in.mnemonic == RDFSBASE || in.mnemonic == RDGSBASE) {
      cpu.setReg(in.rm, size, cpu.seg[segment].base);
      return;
    }
    long base = cpu.reg(in.rm, size);
    if (!Descriptor.isCanonical(base)) {
      throw cpu.raise(GP, 0);
    }
    cpu.system.msrs.setBase(segment, base);
  }

  private static void random(Cpu cpu, Instruction in) {
    boolean seed = in.mnemonic == RDSEED;
    boolean has = seed ? cpu.system.cpuid.structuredEbx(18) : cpu.system.cpuid.featureEcx(30);
    if (!has || in.repeat != 0) {
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
