package io.vmm4j.software.cpu;

/** The decimal adjust instructions (Intel SDM volume 2: AAA, AAD, AAM, AAS, DAA, DAS). */
final class DecimalOps {
  private DecimalOps() {}

  static void execute(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case Mnemonic.DAA -> adjustAfterAddition(cpu);
      case Mnemonic.DAS -> adjustAfterSubtraction(cpu);
      case Mnemonic.AAA -> asciiAdjust(cpu, 1);
      case Mnemonic.AAS -> asciiAdjust(cpu, -1);
      case Mnemonic.AAM -> multiply(cpu, (int) in.imm & 0xFF);
      default -> divide(cpu, (int) in.imm & 0xFF);
    }
  }

  private static void setFlags(Cpu cpu, int al, boolean carry, boolean half) {
    cpu.flagResult = (byte) al;
    cpu.flagAux = Flags.aux(carry, false) | (half ? 8 : 0);
  }

  private static void adjustAfterAddition(Cpu cpu) {
    int al = (int) cpu.gpr[Cpu.RAX] & 0xFF;
    boolean half = (cpu.flagAux & 8) != 0 || (al & 15) > 9;
    boolean carry = cpu.carry() != 0 || al > 0x99;
    int result = al + (half ? 6 : 0) + (carry ? 0x60 : 0);
    cpu.setReg8(Cpu.RAX, true, result);
    setFlags(cpu, result, carry, half);
  }

  private static void adjustAfterSubtraction(Cpu cpu) {
    int al = (int) cpu.gpr[Cpu.RAX] & 0xFF;
    boolean half = (cpu.flagAux & 8) != 0 || (al & 15) > 9;
    boolean high = cpu.carry() != 0 || al > 0x99;
    boolean carry = high || half && al < 6;
    int result = al - (half ? 6 : 0) - (high ? 0x60 : 0);
    cpu.setReg8(Cpu.RAX, true, result);
    setFlags(cpu, result, carry, half);
  }

  private static void asciiAdjust(Cpu cpu, int sign) {
    int ax = (int) cpu.gpr[Cpu.RAX] & 0xFFFF;
    boolean adjust = (cpu.flagAux & 8) != 0 || (ax & 15) > 9;
    if (adjust) {
      ax += sign * 0x106;
    }
    ax &= 0xFF0F;
    cpu.setReg(Cpu.RAX, 2, ax);
    setFlags(cpu, ax & 0xFF, adjust, adjust);
  }

  private static void multiply(Cpu cpu, int base) {
    if (base == 0) {
      throw cpu.raise(Cpu.DE);
    }
    int al = (int) cpu.gpr[Cpu.RAX] & 0xFF;
    cpu.setReg(Cpu.RAX, 2, al / base << 8 | al % base);
    setFlags(cpu, al % base, false, false);
  }

  private static void divide(Cpu cpu, int base) {
    int ax = (int) cpu.gpr[Cpu.RAX] & 0xFFFF;
    int al = (ax & 0xFF) + (ax >> 8) * base & 0xFF;
    cpu.setReg(Cpu.RAX, 2, al);
    setFlags(cpu, al, false, false);
  }
}
