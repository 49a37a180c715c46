package io.vmm4j.engine.software.cpu;

import io.vmm4j.api.backend.CpuFeature;

/** Bit tests and bit scans: BT, BTS, BTR, BTC, BSF, BSR, TZCNT, LZCNT, POPCNT. */
final class BitOps {
  private BitOps() {}

  static void execute(Cpu cpu, Instruction in, int size) {
    switch (in.opcode) {
      case 0x1A3 -> bitTest(cpu, in, size, 0);
      case 0x1AB -> bitTest(cpu, in, size, 1);
      case 0x1B3 -> bitTest(cpu, in, size, 2);
      case 0x1BB -> bitTest(cpu, in, size, 3);
      case 0x1BA -> bitTest(cpu, in, size, in.extension() - 4);
      case 0x1B8 -> {
        long value = IntegerOps.load(cpu, in, size);
        cpu.setReg(in.reg, size, Long.bitCount(value));
        cpu.setArithmeticFlags(value == 0 ? Flags.ZF : 0);
      }
      case 0x1BC, 0x1BD -> scan(cpu, in, size);
      default -> throw cpu.undefined(in);
    }
  }

  private static void bitTest(Cpu cpu, Instruction in, int size, int operation) {
    boolean immediate = in.opcode == 0x1BA;
    int bits = 8 * size;
    long index = immediate ? in.imm & 0xFF : Flags.signExtend(cpu.reg(in.reg, size), size);
    long bit = 1L << (index & bits - 1);
    long linear = 0;
    long value;
    if (in.isMemory) {
      boolean write = operation != 0;
      // A register's index reaches beyond the operand, by whole operands.
      long distance = immediate ? 0 : (index >> (size == 8 ? 6 : size == 4 ? 5 : 4)) * size;
      long offset = cpu.effectiveAddress(in) + distance & in.addressMask;
      linear = cpu.linear(in.segment, offset, size, write);
      value = write ? cpu.mmu.readForWrite(linear, size) : cpu.mmu.read(linear, size);
    } else {
      value = cpu.reg(in.rm, size);
    }
    long result =
        switch (operation) {
          case 1 -> value | bit;
          case 2 -> value & ~bit;
          case 3 -> value ^ bit;
          default -> value;
        };
    if (operation != 0) {
      if (in.isMemory) {
        cpu.mmu.write(linear, size, result);
      } else {
        cpu.setReg(in.rm, size, result);
      }
    }
    Alu.setCarry(cpu, (value & bit) != 0);
  }

  /** Whether F3 makes TZCNT of BSF or LZCNT of BSR: elsewhere it has no meaning. */
  private static boolean counts(Cpu cpu, Instruction in) {
    return in.mandatoryPrefix == Instruction.PREFIX_F3
        && cpu.system.cpuid.has(in.opcode == 0x1BC ? CpuFeature.BMI1 : CpuFeature.LZCNT);
  }

  /** TZCNT and LZCNT. */
  private static void count(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    int bits = 8 * size;
    int zeros =
        in.opcode == 0x1BC
            ? Math.min(Long.numberOfTrailingZeros(value), bits)
            : Long.numberOfLeadingZeros(value) - (64 - bits);
    cpu.setReg(in.reg, size, zeros);
    cpu.flagResult = zeros;
    cpu.flagAux = Flags.aux(value == 0, false);
  }

  /** BSF and BSR, and what F3 makes of them. */
  private static void scan(Cpu cpu, Instruction in, int size) {
    if (counts(cpu, in)) {
      count(cpu, in, size);
      return;
    }
    long value = IntegerOps.load(cpu, in, size);
    if (value == 0) {
      cpu.setArithmeticFlags(cpu.eflags() & Flags.ARITHMETIC & ~Flags.ZF | Flags.ZF);
      return;
    }
    int index =
        in.opcode == 0x1BC
            ? Long.numberOfTrailingZeros(value)
            : 63 - Long.numberOfLeadingZeros(value);
    cpu.setReg(in.reg, size, index);
    cpu.setArithmeticFlags(cpu.eflags() & Flags.ARITHMETIC & ~Flags.ZF);
  }
}
