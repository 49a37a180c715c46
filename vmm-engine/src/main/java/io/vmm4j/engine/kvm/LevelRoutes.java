package io.vmm4j.engine.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashSet;
import java.util.SequencedSet;

/**
 * The level-triggered interrupt messages of I/O APICs. Of the end of an interrupt the kernel tells
 * only if a message of its vector stands among the routes of the split irqchip's pins; so each
 * message that is sent is put there before, once. With the machine lock held.
 */
final class LevelRoutes {
  /** The pins of the split irqchip: for as many different messages, the newest. */
  static final int PINS = 256;

  private static final int LEVEL_TRIGGERED = 1 << 15;
  private static final int HEADER_BYTES = 8;
  private static final int ENTRY_BYTES = 48;
  private static final int ENTRY_UNION = 16;
  private static final int TYPE_MSI = 2;

  private record Message(long address, int data) {}

  private final int vmFd;
  private final SequencedSet<Message> messages = new LinkedHashSet<>();

  LevelRoutes(int vmFd) {
    this.vmFd = vmFd;
  }

  /** A message is about to be sent. */
  void note(long address, int data) {
    if ((data & LEVEL_TRIGGERED) == 0 || !messages.add(new Message(address, data))) {
      return;
    }
    if (messages.size() > PINS) {
      messages.removeFirst();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment routing =
          arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * messages.size(), 8);
      routing.set(ValueLayout.JAVA_INT, 0, messages.size());
      int pin = 0;
      for (Message message : messages) {
        long at = HEADER_BYTES + (long) ENTRY_BYTES * pin;
        routing.set(ValueLayout.JAVA_INT, at, pin++);
        routing.set(ValueLayout.JAVA_INT, at + 4, TYPE_MSI);
        routing.set(ValueLayout.JAVA_INT, at + ENTRY_UNION, (int) message.address);
        routing.set(ValueLayout.JAVA_INT, at + ENTRY_UNION + 4, (int) (message.address >>> 32));
        routing.set(ValueLayout.JAVA_INT, at + ENTRY_UNION + 8, message.data);
      }
      Libc.ioctl(vmFd, Ioctl.KVM_SET_GSI_ROUTING, routing);
    }
  }
}
