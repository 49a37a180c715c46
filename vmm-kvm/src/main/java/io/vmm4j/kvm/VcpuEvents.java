package io.vmm4j.kvm;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.PendingEvents;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** struct kvm_vcpu_events: what is on its way between two instructions. */
final class VcpuEvents {
  private static final int BYTES = 64;
  private static final int EXCEPTION_INJECTED = 0;
  private static final int EXCEPTION_VECTOR = 1;
  private static final int EXCEPTION_HAS_CODE = 2;
  private static final int EXCEPTION_PENDING = 3;
  private static final int EXCEPTION_CODE = 4;
  private static final int INTERRUPT_INJECTED = 8;
  private static final int INTERRUPT_VECTOR = 9;
  private static final int INTERRUPT_SOFT = 10;
  private static final int INTERRUPT_SHADOW = 11;
  private static final int NMI_INJECTED = 12;
  private static final int NMI_PENDING = 13;
  private static final int NMI_MASKED = 14;
  private static final int FLAGS = 20;
  private static final int SMM = 24;
  private static final int HAS_PAYLOAD = 55;
  private static final int PAYLOAD = 56;

  private static final int VALID_NMI_PENDING = 1;
  private static final int VALID_SHADOW = 4;
  private static final int VALID_SMM = 8;
  private static final int VALID_PAYLOAD = 16;

  static final int SHADOW_MOV_SS = 1;
  private static final int SHADOW_STI = 2;

  private static final int DB = 1;

  /** The bits of DR6 that tell of a debug exception's cause. */
  private static final long DR6_CAUSES = 0xE00F;

  private final int fd;

  VcpuEvents(int fd) {
    this.fd = fd;
  }

  /** Delivers an external interrupt before the next instruction. */
  void injectInterrupt(int vector) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = get(arena);
      set(events, INTERRUPT_INJECTED, true);
      events.set(ValueLayout.JAVA_BYTE, INTERRUPT_VECTOR, (byte) vector);
      set(events, INTERRUPT_SOFT, false);
      events.set(ValueLayout.JAVA_INT, FLAGS, VALID_SHADOW);
      Libc.ioctl(fd, Ioctl.KVM_SET_VCPU_EVENTS, events);
    }
  }

  /**
   * Sets the interrupt shadow, and leaves all else as it is.
   *
   * @return what it was
   */
  int exchangeShadow(int shadow) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = get(arena);
      int before = events.get(ValueLayout.JAVA_BYTE, INTERRUPT_SHADOW);
      events.set(ValueLayout.JAVA_BYTE, INTERRUPT_SHADOW, (byte) shadow);
      // Not an NMI that is pending: another may come meanwhile.
      int payload = events.get(ValueLayout.JAVA_INT, FLAGS) & VALID_PAYLOAD;
      events.set(ValueLayout.JAVA_INT, FLAGS, VALID_SHADOW | payload);
      Libc.ioctl(fd, Ioctl.KVM_SET_VCPU_EVENTS, events);
      return before;
    }
  }

  private MemorySegment get(Arena arena) {
    MemorySegment events = arena.allocate(BYTES, 8);
    Libc.ioctl(fd, Ioctl.KVM_GET_VCPU_EVENTS, events);
    return events;
  }

  private static boolean is(MemorySegment events, int at) {
    return events.get(ValueLayout.JAVA_BYTE, at) != 0;
  }

  private static void set(MemorySegment events, int at, boolean value) {
    events.set(ValueLayout.JAVA_BYTE, at, (byte) (value ? 1 : 0));
  }

  /**
   * The events.
   *
   * @throws SnapshotException.Incompatible in system management mode, which has no place in the
   *     state that backends share
   */
  PendingEvents save(long dr6) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = get(arena);
      if ((events.get(ValueLayout.JAVA_INT, FLAGS) & VALID_SMM) != 0 && is(events, SMM)) {
        throw new SnapshotException.Incompatible(
            "system management mode",
            "its state can't be saved; the guest is in it only for a moment");
      }
      boolean raised = is(events, EXCEPTION_INJECTED) || is(events, EXCEPTION_PENDING);
      int vector = raised ? events.get(ValueLayout.JAVA_BYTE, EXCEPTION_VECTOR) & 0xFF : -1;
      int code = raised ? events.get(ValueLayout.JAVA_INT, EXCEPTION_CODE) : 0;
      if (vector == DB) {
        code =
            (int)
                ((is(events, HAS_PAYLOAD) ? events.get(ValueLayout.JAVA_LONG, PAYLOAD) : dr6)
                    & DR6_CAUSES);
      }
      boolean interrupt = is(events, INTERRUPT_INJECTED) && !is(events, INTERRUPT_SOFT);
      int shadow = events.get(ValueLayout.JAVA_BYTE, INTERRUPT_SHADOW);
      boolean nmiOnItsWay = is(events, NMI_INJECTED);
      return new PendingEvents(
          vector,
          raised && vector != DB && is(events, EXCEPTION_HAS_CODE),
          code,
          interrupt ? events.get(ValueLayout.JAVA_BYTE, INTERRUPT_VECTOR) & 0xFF : -1,
          is(events, NMI_PENDING) || nmiOnItsWay,
          is(events, NMI_MASKED) && !nmiOnItsWay,
          (shadow & SHADOW_STI) != 0,
          (shadow & SHADOW_MOV_SS) != 0,
          false,
          -1);
    }
  }

  /** Takes events on, but for INIT and start-up messages. */
  void restore(PendingEvents saved) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = arena.allocate(BYTES, 8);
      int vector = saved.exceptionVector();
      if (vector >= 0) {
        events.set(ValueLayout.JAVA_BYTE, EXCEPTION_VECTOR, (byte) vector);
        set(events, EXCEPTION_PENDING, vector == DB);
        set(events, EXCEPTION_INJECTED, vector != DB);
        if (vector == DB) {
          set(events, HAS_PAYLOAD, true);
          events.set(ValueLayout.JAVA_LONG, PAYLOAD, saved.exceptionErrorCode() & 0xFFFFFFFFL);
        } else {
          set(events, EXCEPTION_HAS_CODE, saved.exceptionHasErrorCode());
          events.set(ValueLayout.JAVA_INT, EXCEPTION_CODE, saved.exceptionErrorCode());
        }
      }
      if (saved.interruptVector() >= 0) {
        set(events, INTERRUPT_INJECTED, true);
        events.set(ValueLayout.JAVA_BYTE, INTERRUPT_VECTOR, (byte) saved.interruptVector());
      }
      int shadow = (saved.shadowSti() ? SHADOW_STI : 0) | (saved.shadowMovSs() ? SHADOW_MOV_SS : 0);
      events.set(ValueLayout.JAVA_BYTE, INTERRUPT_SHADOW, (byte) shadow);
      set(events, NMI_PENDING, saved.nmiPending());
      set(events, NMI_MASKED, saved.nmiBlocked());
      events.set(ValueLayout.JAVA_INT, FLAGS, VALID_NMI_PENDING | VALID_SHADOW | VALID_PAYLOAD);
      Libc.ioctl(fd, Ioctl.KVM_SET_VCPU_EVENTS, events);
    }
  }
}
