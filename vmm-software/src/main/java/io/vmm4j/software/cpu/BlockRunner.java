package io.vmm4j.software.cpu;

import org.jspecify.annotations.Nullable;

/**
 * Executes blocks of instructions, and nothing that lies between instructions: events, traps and
 * single steps are {@link RunLoop}'s. On the vCPU's thread.
 */
public interface BlockRunner {

  /**
   * Executes from {@link Cpu#rip} on, block after block, until something has to be looked at
   * between two instructions ({@link Cpu#leaveBlock}, a signal, a pending debug trap), or {@link
   * Cpu#instructions} has reached {@code end}. It executes at least one instruction and never one
   * beyond {@code end}; with a limit inside a block it executes as much of the block as there is
   * room for.
   *
   * @throws CpuFault for a fault of the instruction that {@link #current} gives; RIP, registers and
   *     flags are those before it, but for {@link Cpu#rip} and {@link Cpu#instructions}, which are
   *     those at the beginning of the block
   */
  void run(long end);

  /** The instruction that faulted last, or null if it was the fetch of a block. */
  @Nullable Instruction current();
}
