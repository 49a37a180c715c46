package io.vmm4j.devices.rtc;

import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;

/**
 * The real-time clock and CMOS memory of the PC (Motorola MC146818 datasheet) at ports 0x70 and
 * 0x71, interrupt line 8. The time is the machine's wall clock and an offset, which setting it
 * changes. Bytes that tell the size of memory are set at reset.
 *
 * <p>Flags are worked out when they are asked for; a timer runs only for an enabled interrupt that
 * is not pending. So interrupts that a guest leaves unread cost nothing.
 */
final class Rtc implements DeviceModel<RtcState>, PortHandler {
  static final int MEMORY_BYTES = 128;

  private static final int PORT = 0x70;
  private static final int IRQ = 8;
  private static final long TIME_BASE_HZ = 32_768;

  private static final int REGISTER_A = 0x0A;
  private static final int REGISTER_B = 0x0B;
  private static final int REGISTER_C = 0x0C;
  private static final int REGISTER_D = 0x0D;
  private static final int EQUIPMENT = 0x14;

  private static final int UPDATE_IN_PROGRESS = 0x80;
  private static final int DIVIDER_RESET = 0x60;
  private static final int SET = 0x80;
  private static final int PERIODIC = 0x40;
  private static final int ALARM = 0x20;
  private static final int UPDATE_ENDED = 0x10;
  private static final int INTERRUPTS = PERIODIC | ALARM | UPDATE_ENDED;
  private static final int INTERRUPT_REQUEST = 0x80;
  private static final int VALID_RAM_AND_TIME = 0x80;

  /** UIP is set 244 µs before the update begins, which takes 1984 µs (datasheet, table 6). */
  private static final int UPDATE_NANOS = (244 + 1984) * 1000;

  /** The first update comes half a second after the divider is let go. */
  private static final int AFTER_DIVIDER_RESET_NANOS = 500_000_000;

  private final byte[] memory = new byte[MEMORY_BYTES];
  private final DeviceContext context;
  private final DeviceTimer timer;
  private final InterruptLine line;
  private int index;
  private int registerA;
  private int registerB;
  private int flags;
  private Duration offset = Duration.ZERO;
  private long updatedSecond;
  private long periodicTick;
  private boolean lineAsserted;

  @SuppressWarnings("unused") // Every device is made from its configuration.
  Rtc(RtcConfig config, DeviceContext machine) {
    context = machine;
    line = machine.interruptLine(IRQ);
    timer = machine.timer("interrupts", this::update);
    machine.claimPorts(PORT, 2, AccessWidth.BYTE, this);
    machine.describe(new PlatformFact.RealTimeClock());
  }

  /** As with a fresh battery: the right time, 24 hours, BCD, 1024 Hz chosen and not enabled. */
  @Override
  public void reset() {
    Arrays.fill(memory, (byte) 0);
    index = 0;
    registerA = 0x26;
    registerB = 0x02;
    flags = 0;
    offset = Duration.ZERO;
    memory[EQUIPMENT] = 0x02; // A floating-point unit.
    MemorySizes.store(context.memory(), memory);
    updatedSecond = time().getEpochSecond();
    periodicTick = ticks();
    lineAsserted = false;
    line.set(false);
    drive();
  }

  private VmClock clock() {
    return context.clock();
  }

  private long ticks() {
    return clock().ticks(TIME_BASE_HZ);
  }

  private Instant time() {
    return clock().wallTime().plus(offset);
  }

  /** Whether the time stands, for the registers to be set. */
  private boolean held() {
    return (registerB & SET) != 0 || dividerReset();
  }

  private boolean dividerReset() {
    return (registerA & DIVIDER_RESET) == DIVIDER_RESET;
  }

  /** Ticks between periodic interrupts; 0 if there are none. */
  private long periodTicks() {
    int rate = registerA & 0xF;
    if (rate == 0 || dividerReset()) {
      return 0;
    }
    // With the 32.768 kHz time base the two highest rates are those of 8 and 9.
    return 1L << (rate <= 2 ? rate + 6 : rate - 1);
  }

  /** Brings flags, interrupt and timer up to date. */
  private void update() {
    lookAtPeriods();
    lookAtUpdates();
    drive();
  }

  private void lookAtPeriods() {
    long period = periodTicks();
    long now = ticks();
    if (period != 0 && now / period != periodicTick / period) {
      flags |= PERIODIC;
    }
    periodicTick = now;
  }

  private void lookAtUpdates() {
    if (held()) {
      return;
    }
    long second = time().getEpochSecond();
    if (second > updatedSecond) {
      flags |= UPDATE_ENDED;
      if (TimeRegisters.nextAlarm(updatedSecond, memory, registerB) <= second) {
        flags |= ALARM;
      }
    }
    updatedSecond = second;
  }

  private void drive() {
    boolean asserted = (flags & registerB & INTERRUPTS) != 0;
    if (asserted != lineAsserted) {
      lineAsserted = asserted;
      line.set(asserted);
    }
    long at = asserted ? Long.MAX_VALUE : nextInterruptNanos();
    if (at == Long.MAX_VALUE) {
      timer.cancel();
    } else {
      timer.armAt(at);
    }
  }

  private long nextInterruptNanos() {
    long at = Long.MAX_VALUE;
    long period = periodTicks();
    if ((registerB & PERIODIC) != 0 && period != 0) {
      at = VmClock.ticksToNanos((periodicTick / period + 1) * period, TIME_BASE_HZ);
    }
    if (held()) {
      return at;
    }
    long second = Long.MAX_VALUE;
    if ((registerB & ALARM) != 0) {
      second = TimeRegisters.nextAlarm(updatedSecond, memory, registerB);
    }
    if ((registerB & UPDATE_ENDED) != 0) {
      second = Math.min(second, updatedSecond + 1);
    }
    if (second != Long.MAX_VALUE) {
      long now = clock().nanoTime();
      long wait = Duration.between(time(), Instant.ofEpochSecond(second)).toNanos();
      at = Math.min(at, now + Math.max(0, wait));
    }
    return at;
  }

  @Override
  public int read(int port, int size) {
    if (port == 0) {
      return 0xFF; // The index can't be read on a PC.
    }
    return switch (index) {
      case REGISTER_A -> registerA | (updateInProgress() ? UPDATE_IN_PROGRESS : 0);
      case REGISTER_B -> registerB;
      case REGISTER_C -> readFlags();
      case REGISTER_D -> VALID_RAM_AND_TIME;
      default -> {
        if (TimeRegisters.isTime(index) && !held()) {
          TimeRegisters.store(time(), registerB, memory);
        }
        yield memory[index] & 0xFF;
      }
    };
  }

  @Override
  public void write(int port, int size, int value) {
    if (port == 0) {
      index = value & 0x7F; // Bit 7 masks NMI on a PC; nothing here raises one.
      return;
    }
    switch (index) {
      case REGISTER_A -> control(value & 0x7F, registerB);
      // SET clears UIE (datasheet, "register B").
      case REGISTER_B -> control(registerA, (value & SET) != 0 ? value & ~UPDATE_ENDED : value);
      case REGISTER_C, REGISTER_D -> {
        // Read only.
      }
      default -> store(value);
    }
  }

  private boolean updateInProgress() {
    return !held() && time().getNano() >= 1_000_000_000 - UPDATE_NANOS;
  }

  private int readFlags() {
    update();
    int value = flags | (lineAsserted ? INTERRUPT_REQUEST : 0);
    flags = 0;
    drive();
    return value;
  }

  private void store(int value) {
    update();
    boolean running = TimeRegisters.isTime(index) && !held();
    if (running) {
      TimeRegisters.store(time(), registerB, memory);
    }
    memory[index] = (byte) value;
    if (running) {
      setTime(time().getNano());
    }
    drive();
  }

  private void control(int a, int b) {
    update();
    boolean wasHeld = held();
    boolean wasDividerReset = dividerReset();
    Instant now = time();
    if (!wasHeld) {
      TimeRegisters.store(now, registerB, memory);
    }
    registerA = a;
    registerB = b;
    if (wasHeld && !held()) {
      setTime(wasDividerReset ? AFTER_DIVIDER_RESET_NANOS : now.getNano());
    }
    periodicTick = ticks();
    drive();
  }

  /** Makes the time in the registers the present one. */
  private void setTime(int nanoOfSecond) {
    Instant set = TimeRegisters.load(memory, registerB).plusNanos(nanoOfSecond);
    offset = Duration.between(clock().wallTime(), set);
    updatedSecond = set.getEpochSecond();
  }

  @Override
  public RtcState save() {
    return new RtcState(
        index,
        memory.clone(),
        registerA,
        registerB,
        flags,
        offset.getSeconds(),
        offset.getNano(),
        updatedSecond,
        periodicTick);
  }

  @Override
  public void restore(RtcState state) {
    index = state.index();
    System.arraycopy(state.memory(), 0, memory, 0, MEMORY_BYTES);
    registerA = state.registerA();
    registerB = state.registerB();
    flags = state.flags();
    offset = Duration.ofSeconds(state.offsetSeconds(), state.offsetNanos());
    updatedSecond = state.updatedSecond();
    periodicTick = state.periodicTick();
    lineAsserted = (flags & registerB & INTERRUPTS) != 0;
    line.set(lineAsserted);
    drive();
  }
}
