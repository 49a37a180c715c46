package io.vmm4j.software.cpu;

/**
 * Executes what changes memory in one step for all vCPUs, where these run in parallel: instructions
 * with LOCK, and XCHG with memory.
 *
 * <p>The executor of the instruction reads the operand, computes, and stores by compare-and-set; if
 * that fails it begins anew. A misaligned operand, and that of CMPXCHG16B, is changed while all
 * other vCPUs are out ({@link VcpuThreads#alone}): Java has nothing that would do it in one step.
 */
final class LockedOps {
  private LockedOps() {}

  /** Whether an instruction is one of these. */
  static boolean isLocked(Instruction in) {
    return in.lock || in.mnemonic == Mnemonic.XCHG && in.isMemory;
  }

  static void execute(Cpu cpu, Instruction in) {
    long result = cpu.flagResult;
    long aux = cpu.flagAux;
    Mmu mmu = cpu.mmu;
    while (true) {
      mmu.lockAccesses(true);
      try {
        plain(cpu, in);
        return;
      } catch (LostRace race) {
        cpu.flagResult = result;
        cpu.flagAux = aux;
        if (race.isMisaligned()) {
          mmu.lockAccesses(false);
          cpu.alone(() -> plain(cpu, in));
          return;
        }
      } finally {
        mmu.lockAccesses(false);
      }
    }
  }

  private static void plain(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case Mnemonic.BTS, Mnemonic.BTR, Mnemonic.BTC -> BitOps.execute(cpu, in);
      default -> IntegerOps.execute(cpu, in);
    }
  }
}
