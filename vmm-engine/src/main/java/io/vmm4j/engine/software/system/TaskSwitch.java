package io.vmm4j.engine.software.system;

import io.vmm4j.engine.software.cpu.Cpu;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hardware task switches (Intel SDM volume 3, 7.3), which this processor does not have: each
 * attempt is #UD, and the first one is logged.
 */
final class TaskSwitch {
  private static final Logger LOG = LoggerFactory.getLogger("io.vmm4j.engine.software.undefined");

  private TaskSwitch() {}

  /** JMP or CALL to a TSS descriptor or a task gate. */
  static void transfer(Cpu cpu, int selector, long descriptor, boolean call) {
    throw refuse(cpu);
  }

  /** An exception or interrupt through a task gate. */
  static void interrupt(Cpu cpu, long gate, boolean hasError, int error, int flags, int external) {
    throw refuse(cpu);
  }

  /** IRET with NT set. */
  static void ret(Cpu cpu) {
    throw refuse(cpu);
  }

  private static RuntimeException refuse(Cpu cpu) {
    if (cpu.system.firstTaskSwitch()) {
      LOG.warn("hardware task switches are not implemented, #UD: at {}", Long.toHexString(cpu.rip));
    }
    throw cpu.raise(Cpu.UD);
  }
}
