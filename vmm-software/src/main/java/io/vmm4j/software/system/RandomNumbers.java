package io.vmm4j.software.system;

import io.vmm4j.software.cpu.Cpu;

/**
 * The numbers RDRAND and RDSEED give: a hash (the finalizer of SplitMix64) of the machine's seed,
 * the time-stamp counter, RIP and the general registers. There is no state to lose: in virtual time
 * a machine and its restored twin draw the same numbers, and in real time the counter keeps two
 * draws apart. Not for secrets.
 */
final class RandomNumbers {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private RandomNumbers() {}

  static long next(Cpu cpu) {
    long z = mix(cpu.host.randomSeed() + GOLDEN_GAMMA);
    z = mix(z + cpu.system.msrs.tsc() + GOLDEN_GAMMA);
    z = mix(z + cpu.rip + GOLDEN_GAMMA);
    for (int i = 0; i < 16; i++) {
      z = mix(z + cpu.gpr[i] + GOLDEN_GAMMA);
    }
    return z;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
