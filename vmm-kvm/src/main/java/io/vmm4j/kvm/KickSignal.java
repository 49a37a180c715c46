package io.vmm4j.kvm;

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
  private static final int SIG_BLOCK = 0;
  private static final int SIG_UNBLOCK = 1;

  /** Of the kernel, not the C library. */
  private static final int KERNEL_SIGSET_BYTES = 8;

  private static final int MASK_SIGSET = 4;

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
    mask(SIG_UNBLOCK);
  }

  private static void mask(int how) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(SIGSET_BYTES, 8);
      set.set(ValueLayout.JAVA_LONG, 0, 1L << NUMBER - 1);
      Libc.signalMask(how, set);
    }
  }

  /**
   * Lets the signal wait for the calling thread, and be seen by KVM_RUN: which then does all that
   * comes before the guest, but does not enter it. {@link #release} ends that.
   */
  static void await(int vcpuFd) {
    mask(SIG_BLOCK);
    Libc.signalThread(Libc.currentThread(), NUMBER);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(MASK_SIGSET + KERNEL_SIGSET_BYTES, 4);
      mask.set(ValueLayout.JAVA_INT, 0, KERNEL_SIGSET_BYTES);
      mask.set(ValueLayout.JAVA_LONG_UNALIGNED, MASK_SIGSET, ~(1L << NUMBER - 1));
      Libc.ioctl(vcpuFd, Ioctl.KVM_SET_SIGNAL_MASK, mask);
    }
  }

  /** Lets it arrive, outside KVM_RUN. */
  static void release(int vcpuFd) {
    Libc.ioctl(vcpuFd, Ioctl.KVM_SET_SIGNAL_MASK, 0);
    unblock();
  }
}
