package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.software.machinecode.MachineCode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What executes instructions in the tests of the processor: each of them runs on all tiers. The
 * property {@code vmm4j.test.tier} says which one a run is for: {@code interpreter}, the default,
 * or {@code machine-code}, which then translates what is executed for the first time.
 */
public final class Tiers {
  private static final long MOST_KNOWN_BYTES = 16 << 20;
  private static final Map<List<CpuidLeaf>, KnownBlocks> KNOWN = new ConcurrentHashMap<>();

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
    return MachineCode.open(cpu.host, known(cpu.host)).runner(cpu);
  }

  /**
   * The code of a machine under test. On machine code all tests of like processors share what is
   * known of blocks, so that most code has been made for the machine of another test.
   */
  static DecodedCode code(BackendHost host) {
    long bytes = host.memory().byteSize();
    return isMachineCode() ? new DecodedCode(bytes, known(host)) : new DecodedCode(bytes);
  }

  private static KnownBlocks known(BackendHost host) {
    return KNOWN.computeIfAbsent(host.cpuid(), processor -> new KnownBlocks(MOST_KNOWN_BYTES));
  }
}
