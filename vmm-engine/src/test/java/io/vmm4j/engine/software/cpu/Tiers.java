package io.vmm4j.engine.software.cpu;

import io.vmm4j.engine.software.machinecode.MachineCode;

/** What executes instructions in the tests of the processor: each of them runs on all tiers. */
public final class Tiers {
  private Tiers() {}

  /** The loop of a vCPU under test. */
  public static RunLoop loop(Cpu cpu) {
    return new RunLoop(
        cpu,
        Boolean.getBoolean("vmm4j.translate")
            ? MachineCode.open(cpu.host.memory().byteSize()).runner(cpu)
            : new Interpreter(cpu));
  }
}
