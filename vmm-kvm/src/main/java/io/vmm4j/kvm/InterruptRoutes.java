package io.vmm4j.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * KVM's table of interrupt routes, of which there is one: by its number (GSI), a message. With the
 * machine lock held.
 *
 * <p>First the level-triggered messages of I/O APICs. Of the end of an interrupt the kernel tells
 * only if a message of its vector stands among the routes of the split irqchip's pins; so each
 * message that is sent is put there before, once. Behind the pins the routes of signals (irqfds).
 */
final class InterruptRoutes {
  /**
   * The pins of the split irqchip: for as many different messages, those that were sent last. It
   * can't be more: the kernel takes numbers up to 4096, but keeps 8 bits of them.
   */
  static final int PINS = 255;

  /** How many signals there are; each takes a descriptor. The kernel has room for 4096 routes. */
  private static final int MOST_SIGNALS = 512;

  private static final int LEVEL_TRIGGERED = 1 << 15;

  // What the kernel looks at: whose interrupt it is, physically or logically, and which.
  private static final long DESTINATION = 0xFFFF_FF00_FFFF_F004L;
  private static final int VECTOR = 0xFF;

  private static final int HEADER_BYTES = 8;
  private static final int ENTRY_BYTES = 48;
  private static final int ENTRY_TYPE = 4;
  private static final int ENTRY_UNION = 16;
  private static final int TYPE_MSI = 2;

  private record Message(long address, int data) {}

  private final int vmFd;

  /** In the order in which they were sent for the last time. */
  private final SequencedSet<Message> levels = new LinkedHashSet<>();

  private final SortedMap<Integer, Message> signals = new TreeMap<>();
  private int nextSignal = PINS;

  InterruptRoutes(int vmFd) {
    this.vmFd = vmFd;
  }

  /**
   * A message is about to be sent. An end is missed if between a message and its end as many others
   * are sent as there are pins, all different: a guest would have to give the pins of its I/O APIC
   * other vectors again and again while their interrupts are not ended, and then a pin of it waits.
   */
  void note(long address, int data) {
    if ((data & LEVEL_TRIGGERED) == 0) {
      return;
    }
    Message message = new Message(address & DESTINATION, data & VECTOR | LEVEL_TRIGGERED);
    boolean isNew = !levels.contains(message);
    levels.addLast(message); // or moves it there
    if (isNew) {
      if (levels.size() > PINS) {
        levels.removeFirst();
      }
      set();
    }
  }

  /** The number of another signal, without a route; -1 if there is none left. */
  int newSignal() {
    return nextSignal < PINS + MOST_SIGNALS ? nextSignal++ : -1;
  }

  /** Gives a signal its message. */
  void route(int signal, long address, int data) {
    Message message = new Message(address, data);
    if (!message.equals(signals.put(signal, message))) {
      set();
    }
  }

  private void set() {
    int count = levels.size() + signals.size();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment routing = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * count, 8);
      routing.set(ValueLayout.JAVA_INT, 0, count);
      long at = HEADER_BYTES;
      int pin = 0;
      for (Message message : levels) {
        set(routing, at, pin++, message);
        at += ENTRY_BYTES;
      }
      for (var signal : signals.entrySet()) {
        set(routing, at, signal.getKey(), signal.getValue());
        at += ENTRY_BYTES;
      }
      Libc.ioctl(vmFd, Ioctl.KVM_SET_GSI_ROUTING, routing);
    }
  }

  private static void set(MemorySegment routing, long at, int gsi, Message message) {
    routing.set(ValueLayout.JAVA_INT, at, gsi);
    routing.set(ValueLayout.JAVA_INT, at + ENTRY_TYPE, TYPE_MSI);
    routing.set(ValueLayout.JAVA_INT, at + ENTRY_UNION, (int) message.address);
    routing.set(ValueLayout.JAVA_INT, at + ENTRY_UNION + 4, (int) (message.address >>> 32));
    routing.set(ValueLayout.JAVA_INT, at + ENTRY_UNION + 8, message.data);
  }
}
