package io.vmm4j.kvm;

import io.vmm4j.api.backend.LocalApicState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The registers of a local APIC as KVM_GET_LAPIC has them. */
final class LapicImage {
  private static final int BYTES = 1024;
  static final int REGISTERS = 64;

  private static final int ID = 0x02;
  private static final int TPR = 0x08;
  private static final int PPR = 0x0A;
  private static final int TRIGGER_MODE = 0x18;
  private static final int REQUESTED = 0x20;
  private static final int LVT_TIMER = 0x32;
  private static final int LVT_LINT1 = 0x36;
  private static final int INITIAL_COUNT = 0x38;
  private static final int CURRENT_COUNT = 0x39;
  private static final int DIVIDE = 0x3E;

  private static final int MASKED = 1 << 16;
  private static final int MODE_NMI = 4;
  private static final int TIMER_ONE_SHOT = 0;
  private static final int TIMER_PERIODIC = 1;
  private static final int TIMER_TSC_DEADLINE = 2;

  private final int[] registers;

  private LapicImage(int[] registers) {
    this.registers = registers;
  }

  static LapicImage read(int vcpuFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment image = arena.allocate(BYTES, 8);
      Libc.ioctl(vcpuFd, Ioctl.KVM_GET_LAPIC, image);
      int[] registers = new int[REGISTERS];
      for (int i = 0; i < REGISTERS; i++) {
        registers[i] = image.get(ValueLayout.JAVA_INT, 16L * i);
      }
      return new LapicImage(registers);
    }
  }

  void write(int vcpuFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment image = arena.allocate(BYTES, 8);
      for (int i = 0; i < REGISTERS; i++) {
        image.set(ValueLayout.JAVA_INT, 16L * i, registers[i]);
      }
      Libc.ioctl(vcpuFd, Ioctl.KVM_SET_LAPIC, image);
    }
  }

  /**
   * Those of a state, its timer stopped.
   *
   * @param x2 whether it is in x2APIC mode, in which KVM has the id in its 32-bit form
   */
  static LapicImage of(LocalApicState state, boolean x2) {
    int[] registers = new int[REGISTERS];
    int[] saved = state.registers();
    System.arraycopy(saved, 0, registers, 0, Math.min(saved.length, REGISTERS));
    if (x2) {
      registers[ID] = state.id();
    }
    registers[CURRENT_COUNT] = 0;
    registers[INITIAL_COUNT] = 0;
    return new LapicImage(registers);
  }

  /** The registers in the form that all backends share. */
  int[] shared(int id, boolean x2, int initialCount) {
    int[] shared = registers.clone();
    if (x2) {
      shared[ID] = id << 24;
    }
    shared[CURRENT_COUNT] = 0;
    shared[INITIAL_COUNT] = initialCount;
    shared[PPR] = priority();
    return shared;
  }

  private int priority() {
    int serviced = 0;
    for (int word = 7; word >= 0 && serviced == 0; word--) {
      int bits = registers[0x10 + word];
      if (bits != 0) {
        serviced = 32 * word + 31 - Integer.numberOfLeadingZeros(bits);
      }
    }
    int task = registers[TPR] & 0xFF;
    return task >> 4 >= serviced >> 4 ? task : serviced & 0xF0;
  }

  int taskPriority() {
    return registers[TPR] & 0xFF;
  }

  /** Whether LINT1 passes an NMI on. */
  boolean takesNmi() {
    int entry = registers[LVT_LINT1];
    return (entry & MASKED) == 0 && (entry >> 8 & 7) == MODE_NMI;
  }

  // ---- the timer ----

  private int timerMode() {
    return registers[LVT_TIMER] >> 17 & 3;
  }

  boolean timerHasDeadline() {
    return timerMode() == TIMER_TSC_DEADLINE;
  }

  boolean timerIsPeriodic() {
    return timerMode() == TIMER_PERIODIC;
  }

  /**
   * How long a periodic timer has to its next period.
   *
   * @param overdueNanos how long ago a period has ended, not negative
   */
  long untilNextPeriod(int initialCount, long overdueNanos) {
    long period = Math.max(1, (initialCount & 0xFFFFFFFFL) * divisor());
    return period - overdueNanos % period;
  }

  /**
   * Whether a timer stands at zero: a one-shot timer since it has come there, now or long ago; a
   * periodic one until the kernel notices.
   */
  boolean timerHasRunOut() {
    return !timerHasDeadline() && initialCount() != 0 && nanosLeft() == 0;
  }

  /** Whether the timer has come to zero since an earlier look, between which no guest code ran. */
  boolean hasTickedSince(LapicImage earlier) {
    return switch (timerMode()) {
      case TIMER_ONE_SHOT -> earlier.nanosLeft() > 0 && nanosLeft() == 0;
      case TIMER_PERIODIC -> timerHasRunOut() || nanosLeft() > earlier.nanosLeft();
      default -> false;
    };
  }

  /** Puts the timer's interrupt among those that are requested, as the timer does. */
  void requestTimerInterrupt() {
    int vector = registers[LVT_TIMER] & 0xFF;
    if ((registers[LVT_TIMER] & MASKED) == 0 && vector >= 16) {
      registers[TRIGGER_MODE + vector / 32] &= ~(1 << vector % 32);
      registers[REQUESTED + vector / 32] |= 1 << vector % 32;
    }
  }

  int initialCount() {
    return registers[INITIAL_COUNT];
  }

  /** Nanoseconds until the count comes to zero; KVM counts at 1 GHz, divided. 0 if it has. */
  long nanosLeft() {
    return (registers[CURRENT_COUNT] & 0xFFFFFFFFL) * divisor();
  }

  private int divisor() {
    int code = registers[DIVIDE] & 3 | registers[DIVIDE] >> 1 & 4;
    return code == 7 ? 1 : 2 << code;
  }

  void stopTimer() {
    registers[INITIAL_COUNT] = 0;
    registers[CURRENT_COUNT] = 0;
  }

  /** Lets it count from an initial count, with so much left of the first time. */
  void startTimer(int initialCount, long nanosLeft) {
    registers[INITIAL_COUNT] = initialCount;
    long count = Math.clamp(Math.ceilDiv(nanosLeft, divisor()), 1, initialCount & 0xFFFFFFFFL);
    registers[CURRENT_COUNT] = (int) count;
  }
}
