package io.vmm4j.engine.software.cpu;

/** What executes instructions in the tests of the processor: each of them runs on all tiers. */
public final class Tiers {
  private Tiers() {}

  /** The loop of a vCPU under test. */
  public static RunLoop loop(Cpu cpu) {
    return new RunLoop(cpu, new Interpreter(cpu));
  }
}
