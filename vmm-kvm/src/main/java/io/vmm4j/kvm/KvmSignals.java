package io.vmm4j.kvm;

import io.vmm4j.api.device.InterruptSignal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Interrupt messages that any thread sends without the machine lock: irqfds. While the local APICs
 * are frozen, and may be read or replaced, what is raised waits.
 *
 * <p>The kernel delivers the signal of an irqfd in the write to it only if the message names one
 * local APIC by its id; others it may deliver by a thread of its own, at any time later. Those are
 * sent by KVM_SIGNAL_MSI, so that nothing is on its way when a local APIC is read.
 */
final class KvmSignals {
  private static final int IRQFD_BYTES = 32;
  private static final int IRQFD_GSI = 4;
  private static final int IRQFD_FLAGS = 8;
  private static final int FLAG_DEASSIGN = 1;

  private static final int LEVEL_TRIGGERED = 1 << 15;
  private static final int DELIVERY_MODE = 7 << 8;
  private static final int LOGICAL_DESTINATION = 1 << 2;

  private final int vmFd;
  private final InterruptRoutes routes;
  private final Object gate = new Object();

  /** All that were made. With the machine lock held. */
  private final List<Signal> signals = new ArrayList<>();

  /** Whether what is raised waits; guarded by the gate. */
  private boolean frozen = true;

  /** How many messages were sent; written under the gate. */
  private volatile long sent;

  KvmSignals(int vmFd, InterruptRoutes routes) {
    this.vmFd = vmFd;
    this.routes = routes;
  }

  /** Another signal, if there is room. With the machine lock held. */
  Optional<InterruptSignal> create() {
    int gsi = routes.newSignal();
    if (gsi < 0) {
      return Optional.empty();
    }
    Signal signal = new Signal(gsi);
    signals.add(signal);
    return Optional.of(signal);
  }

  long sent() {
    return sent;
  }

  /** When this returns nothing is on its way to a local APIC. With the machine lock held. */
  void freeze() {
    synchronized (gate) {
      frozen = true;
    }
  }

  /** Sends what has waited, and all that is raised from now on. With the machine lock held. */
  void thaw() {
    synchronized (gate) {
      frozen = false;
      for (Signal signal : signals) {
        if (signal.waiting) {
          signal.waiting = false;
          signal.send();
        }
      }
    }
  }

  void close() {
    synchronized (gate) {
      frozen = true; // for ever
      signals.forEach(Signal::close);
    }
  }

  private static boolean namesOneApic(long address, int data) {
    long id = address >>> 12 & 0xFF | address >>> 32 & 0xFFFF_FF00L;
    return (address & LOGICAL_DESTINATION) == 0 && (data & DELIVERY_MODE) == 0 && id < 0xFF;
  }

  private final class Signal implements InterruptSignal {
    private final int gsi;
    private final int eventFd = Libc.eventfd();

    // All of these are guarded by the gate.
    private boolean waiting;
    private boolean routed;
    private boolean assigned;
    private long address;
    private int data;

    Signal(int gsi) {
      this.gsi = gsi;
    }

    @Override
    public void route(long newAddress, int newData) {
      if ((newData & LEVEL_TRIGGERED) != 0) {
        throw new IllegalArgumentException("data: 0x%x is level-triggered".formatted(newData));
      }
      boolean direct = namesOneApic(newAddress, newData);
      synchronized (gate) {
        if (direct) {
          routes.route(gsi, newAddress, newData);
        }
        if (direct != assigned) {
          assign(direct);
        }
        address = newAddress;
        data = newData;
        routed = true;
      }
    }

    private void assign(boolean now) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment irqfd = arena.allocate(IRQFD_BYTES, 8);
        irqfd.set(ValueLayout.JAVA_INT, 0, eventFd);
        irqfd.set(ValueLayout.JAVA_INT, IRQFD_GSI, gsi);
        irqfd.set(ValueLayout.JAVA_INT, IRQFD_FLAGS, now ? 0 : FLAG_DEASSIGN);
        Libc.ioctl(vmFd, Ioctl.KVM_IRQFD, irqfd);
        assigned = now;
      }
    }

    @Override
    public void mute() {
      synchronized (gate) {
        routed = false;
        waiting = false;
      }
    }

    @Override
    public void raise() {
      synchronized (gate) {
        if (frozen) {
          waiting = true;
        } else {
          send();
        }
      }
    }

    void send() {
      if (!routed) {
        return;
      }
      sent++;
      if (assigned) {
        Libc.signalEvent(eventFd, 1);
      } else {
        ApicMessages.send(vmFd, address, data);
      }
    }

    void close() {
      Libc.close(eventFd);
    }
  }
}
