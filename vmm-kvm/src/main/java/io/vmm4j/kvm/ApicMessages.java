package io.vmm4j.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Interrupt messages to one local APIC (Intel SDM volume 3, 11.11). */
final class ApicMessages {
  static final int INIT = 5;
  static final int STARTUP = 6;

  private static final long BASE = 0xFEE0_0000L;
  private static final int LEVEL_TRIGGERED = 1 << 15;
  private static final int ASSERTED = 1 << 14;

  private ApicMessages() {}

  /** The address that means the APIC of an id, 0 to 254. */
  static long address(int id) {
    return BASE | (long) id << 12;
  }

  static int levelTriggered(int vector) {
    return LEVEL_TRIGGERED | ASSERTED | vector;
  }

  static int of(int deliveryMode, int vector) {
    return deliveryMode << 8 | vector;
  }

  /** Sends a message to the local APICs of a machine. Any thread. */
  static void send(int vmFd, long address, int data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(32, 8);
      message.set(ValueLayout.JAVA_INT, 0, (int) address);
      message.set(ValueLayout.JAVA_INT, 4, (int) (address >>> 32));
      message.set(ValueLayout.JAVA_INT, 8, data);
      // What nobody takes is lost, as on a bus; of what is malformed the kernel says EINVAL.
      int result = Libc.tryIoctl(vmFd, Ioctl.KVM_SIGNAL_MSI, message.address());
      if (result < 0 && result != -Libc.EINVAL) {
        throw new KvmException(Ioctl.KVM_SIGNAL_MSI.name(), -result);
      }
    }
  }
}
