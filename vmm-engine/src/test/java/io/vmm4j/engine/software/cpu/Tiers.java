package io.vmm4j.engine.software.cpu;

import io.vmm4j.engine.software.machinecode.MachineCode;

/**
 * What executes instructions in the tests of the processor: each of them runs on all tiers. The
 * property {@code vmm4j.test.tier} says which one a run is for: {@code interpreter}, the default,
 * or {@code machine-code}, which then translates what is executed for the first time.
 */
public final class Tiers {
  private Tiers() {}

  /** Whether this run is for machine code. */
  public static boolean isMachineCode() {
    return System.getProperty("vmm4j.test.tier", "interpreter").equals("machine-code");
  }

  /** The loop of a vCPU under test. */
  public static RunLoop loop(Cpu cpu) {
    return new RunLoop(cpu, isMachineCode() ? machineCode(cpu) : new Interpreter(cpu));
  }

  private static BlockRunner machineCode(Cpu cpu) {
    return MachineCode.open(cpu.host).runner(cpu);
  }
}
