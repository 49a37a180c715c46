package io.vmm4j.software.cpu;

/** Bit tests and bit scans: BT, BTS, BTR, BTC, BSF, BSR, TZCNT, LZCNT, POPCNT. */
final class BitOps {
  private BitOps() {}

  static void execute(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    switch (in.mnemonic) {
      case Mnemonic.BT, Mnemonic.BTS, Mnemonic.BTR, Mnemonic.BTC -> bitTest(cpu, in, size);
      case Mnemonic.POPCNT -> {
        long value = IntegerOps.load(cpu, in, size);
        cpu.setReg(in.reg, size, Long.bitCount(value));
        cpu.setArithmeticFlags(value == 0 ? Flags.ZF : 0);
      }
      case Mnemonic.TZCNT, Mnemonic.LZCNT -> count(cpu, in, size);
      default -> scan(cpu, in, size);
    }
  }

  private static void bitTest(Cpu cpu, Instruction in, int size) {
    boolean immediate = in.form.second == OperandPlace.IMMEDIATE;
    boolean write = in.mnemonic != Mnemonic.BT;
    int bits = 8 * size;
    long index = immediate ? in.imm & 0xFF : Flags.signExtend(cpu.reg(in.reg, size), size);
    long bit = 1L << (index & bits - 1);
    long linear = 0;
    long value;
    if (in.isMemory) {
      // A register's index reaches beyond the operand, by whole operands.
      long distance = immediate ? 0 : (index >> (size == 8 ? 6 : size == 4 ? 5 : 4)) * size;
      long offset = cpu.effectiveAddress(in) + distance & in.addressMask;
      linear = cpu.linear(in.segment, offset, size, write);
      value = write ? cpu.mmu.readForWrite(linear, size) : cpu.mmu.read(linear, size);
    } else {
      value = cpu.reg(in.rm, size);
    }
    long result =
        switch (in.mnemonic) {
          case Mnemonic.BTS -> value | bit;
          case Mnemonic.BTR -> value & ~bit;
          case Mnemonic.BTC -> value ^ bit;
          default -> value;
        };
    if (write) {
      if (in.isMemory) {
        cpu.mmu.write(linear, size, result);
      } else {
        cpu.setReg(in.rm, size, result);
      }
    }
    Alu.setCarry(cpu, (value & bit) != 0);
  }

  /** TZCNT and LZCNT. */
  private static void count(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    int bits = 8 * size;
    int zeros =
        in.mnemonic == Mnemonic.TZCNT
            ? Math.min(Long.numberOfTrailingZeros(value), bits)
            : Long.numberOfLeadingZeros(value) - (64 - bits);
    cpu.setReg(in.reg, size, zeros);
    cpu.flagResult = zeros;
    cpu.flagAux = Flags.aux(value == 0, false);
  }

  /** BSF and BSR. */
  private static void scan(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    if (value == 0) {
      cpu.setArithmeticFlags(cpu.eflags() & Flags.ARITHMETIC & ~Flags.ZF | Flags.ZF);
      return;
    }
    int index =
        in.mnemonic == Mnemonic.BSF
            ? Long.numberOfTrailingZeros(value)
            : 63 - Long.numberOfLeadingZeros(value);
    cpu.setReg(in.reg, size, index);
    cpu.setArithmeticFlags(cpu.eflags() & Flags.ARITHMETIC & ~Flags.ZF);
  }
}
