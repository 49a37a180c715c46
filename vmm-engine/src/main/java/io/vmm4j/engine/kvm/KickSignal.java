package io.vmm4j.engine.kvm;

import io.vmm4j.api.VmException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The signal that breaks a vCPU's thread out of KVM_RUN: SIGRTMIN+7, number 41 with glibc. Its
 * action is a function of the C library that POSIX calls async-signal-safe and that does nothing
 * (getpid), so that no Java code runs in a signal. It is installed when the first machine is
 * opened, for the life of the process, and only if nobody else has taken the signal; no other
 * signal is touched. Where it arrives outside KVM_RUN it has no effect, for system calls restart
 * (SA_RESTART).
 */
final class KickSignal {
  static final int NUMBER = 41;

  private static final int SA_RESTART = 0x10000000;
  private static final int SA_ONSTACK = 0x08000000;

  /** glibc's struct sigaction on x86-64. */
  private static final int SIGACTION_BYTES = 152;

  private static final int SIGACTION_FLAGS = 136;
  private static final int SIGSET_BYTES = 128;
  private static final int SIG_UNBLOCK = 1;

  private KickSignal() {}

  /**
   * Installs the action. Done already: does nothing.
   *
   * @throws VmException if the signal is taken
   */
  static synchronized void install() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(SIGACTION_BYTES, 8);
      MemorySegment old = arena.allocate(SIGACTION_BYTES, 8);
      Libc.sigaction(NUMBER, MemorySegment.NULL, old);
      long handler = Libc.address("getpid").address();
      long present = old.get(ValueLayout.JAVA_LONG, 0);
      if (present == handler) {
        return;
      }
      if (present != 0) {
        throw new VmException(
            "signal %d (SIGRTMIN+7), by which vCPUs are kicked, has a handler of another's"
                .formatted(NUMBER));
      }
      action.set(ValueLayout.JAVA_LONG, 0, handler);
      action.set(ValueLayout.JAVA_INT, SIGACTION_FLAGS, SA_RESTART | SA_ONSTACK);
      Libc.sigaction(NUMBER, action, MemorySegment.NULL);
    }
  }

  /** Lets the signal through to the calling thread, whatever it has inherited. */
  static void unblock() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(SIGSET_BYTES, 8);
      set.set(ValueLayout.JAVA_LONG, 0, 1L << NUMBER - 1);
      Libc.signalMask(SIG_UNBLOCK, set);
    }
  }
}
