package io.vmm4j.software.cpu;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs each encoding that the processor does not implement once per vCPU. */
final class UndefinedLog {
  private static final Logger LOG = LoggerFactory.getLogger("io.vmm4j.software.undefined");
  private static final int MOST = 200;

  private final Set<Integer> seen = ConcurrentHashMap.newKeySet();

  void report(Cpu cpu, Instruction in) {
    int key = in.opcode << 12 | in.mandatoryPrefix << 8 | (in.opcode < 0x100 ? 0 : in.modrm);
    if (seen.size() < MOST && seen.add(key)) {
      LOG.warn(
          "instruction not implemented, #UD: opcode {} prefix {} modrm {} at {}",
          Integer.toHexString(in.opcode),
          in.mandatoryPrefix,
          Integer.toHexString(in.modrm),
          Long.toHexString(cpu.currentRip));
    }
  }
}
