package io.vmm4j.software.cpu;

/** Why a block is left before its last instruction, or not followed by the next one at once. */
public enum LeaveReason {
  /** The mode, the privilege, a segment or the instruction pointer is another. */
  MODE,

  /** What linear addresses lead to has changed. */
  TRANSLATION,

  /** Bytes from which code was decoded were written to. */
  CODE_WRITTEN,

  /** An event of another thread or a device waits to be looked at. */
  SIGNAL,

  /** Interrupts may be taken now, or are held back for one instruction. */
  INTERRUPTS,

  /** A port was accessed: a device may have done anything. */
  PORT,

  /** A breakpoint was hit, or the breakpoints are others. */
  BREAKPOINT,

  /** HLT. */
  HALT,

  /** A repeated string instruction was interrupted between two iterations. */
  REPEAT
}
