package io.vmm4j.cli;

import io.vmm4j.api.VmExit;

/**
 * What the process ends with. All are even: every odd code is a guest's own, {@code (value << 1) |
 * 1} of what it wrote to the debug exit port.
 */
final class ExitCode {
  /** The guest switched the machine off, or the command did what it was asked. */
  static final int OK = 0;

  /** The command line is wrong. */
  static final int USAGE = 2;

  /** The guest asked for a reset, other than by a triple fault. */
  static final int RESET = 4;

  /** The machine could not go on, or a triple fault has reset it: few guests mean one. */
  static final int CRASHED = 6;

  /** The time given by {@code --timeout} is over. */
  static final int TIMEOUT = 8;

  /** A file can't be read, written or booted. */
  static final int FILE = 10;

  /** A snapshot is damaged, or can't be restored here. */
  static final int SNAPSHOT = 12;

  /** The backend asked for can't run here. */
  static final int BACKEND = 14;

  /** The user ended the machine, from the terminal or through the control socket. */
  static final int ENDED_BY_USER = 16;

  /** The machine ended before the text of {@code --save-when} came. */
  static final int NOT_SAVED = 18;

  /** Any other failure. */
  static final int FAILURE = 20;

  /** The guest of the demo computed something wrong. */
  static final int WRONG_RESULT = 22;

  /** A machine refused what was asked through its control socket. */
  static final int REFUSED = 24;

  /** The two snapshots of {@code diff} differ. */
  static final int DIFFERENT = 26;

  /** Every vCPU has halted with interrupts disabled, and {@code --end-when-dead} was given. */
  static final int DEAD = 28;

  /** The guest's kernel has panicked, and said so to a device. */
  static final int PANICKED = 30;

  private ExitCode() {}

  /** The code that goes with a machine's end. */
  static int of(VmExit exit) {
    return switch (exit) {
      case VmExit.PoweredOff off -> OK;
      case VmExit.Reset reset -> reset.cause() == VmExit.Reset.Cause.TRIPLE_FAULT ? CRASHED : RESET;
      case VmExit.DebugExit debug -> debug.processExitCode();
      case VmExit.Crashed crashed -> CRASHED;
      case VmExit.Dead dead -> DEAD;
      case VmExit.Panicked panicked -> PANICKED;
      case VmExit.Stopped stopped -> ENDED_BY_USER;
    };
  }
}
