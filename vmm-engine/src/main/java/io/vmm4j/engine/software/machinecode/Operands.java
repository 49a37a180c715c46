package io.vmm4j.engine.software.machinecode;

import io.vmm4j.engine.software.cpu.Instruction;

/** The registers of an instruction as it is encoded. */
final class Operands {
  private Operands() {}

  /** The register in ModRM.rm. */
  static int rm(Instruction in) {
    return in.isSwapped() ? in.reg : in.rm;
  }

  /** The register in ModRM.reg. */
  static int reg(Instruction in) {
    return in.isSwapped() ? in.rm : in.reg;
  }
}
