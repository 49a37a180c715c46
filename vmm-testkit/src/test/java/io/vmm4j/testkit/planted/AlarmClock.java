package io.vmm4j.testkit.planted;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PortHandler;
import java.util.OptionalLong;
import java.util.Set;

/**
 * An alarm clock, with faults on demand. Its ports from 0x300:
 *
 * <ul>
 *   <li>0: a byte that remembers.
 *   <li>1: written, rings after so many microseconds: line 5 is asserted.
 *   <li>2: read, bit 0 is whether it has rung; written, takes that back.
 *   <li>3: written with 0xA5, and then with 0x5A: unlocked, which bit 1 of port 2 tells.
 *   <li>4 to 7: written, copies so many bytes of the guest's memory, 256 at most.
 * </ul>
 */
final class AlarmClock implements DeviceModel<AlarmClockState>, PortHandler {
  private static final int LINE = 5;
  private static final int MOST_BYTES = 256;

  private final Set<Fault> faults;
  private final DeviceContext context;
  private final InterruptLine line;
  private final DeviceTimer timer;
  private final AddressClaim bells;
  private int value;
  private long ringsAt = -1;
  private boolean rung;
  private boolean halfUnlocked;
  private boolean unlocked;
  private int copied;

  AlarmClock(AlarmClockConfig config, DeviceContext context) {
    this.faults = config.faults();
    this.context = context;
    line = context.interruptLine(LINE);
    timer = context.timer("ring", this::ring);
    context.claimPorts(0x300, 8, AccessWidth.DWORD, this);
    bells = context.claimPorts(0x310, 4, AccessWidth.BYTE, this);
    bells.doorbell(0, 1, OptionalLong.of(3), this::bell);
  }

  private boolean has(Fault fault) {
    return faults.contains(fault);
  }

  private void bell() {
    if (has(Fault.SHY_BELL) && value == 0) {
      throw new IllegalStateException("rung without a cause");
    }
    value = 0;
  }

  private void ring() {
    ringsAt = -1;
    setRung(true);
  }

  private void setRung(boolean now) {
    rung = now;
    line.set(now);
  }

  @Override
  public void reset() {
    value = 0;
    if (!has(Fault.RESET_FORGETS_TIMER)) {
      timer.cancel();
    }
    ringsAt = -1;
    setRung(false);
    halfUnlocked = false;
    if (!has(Fault.RESET_FORGETS_FLAG)) {
      unlocked = false;
    }
    copied = 0;
  }

  @Override
  public int read(int offset, int size) {
    return offset == 2 ? (rung ? 1 : 0) | (unlocked ? 2 : 0) : value;
  }

  @Override
  public void write(int offset, int size, int written) {
    if (has(Fault.THROWS) && written == 0xFF) {
      throw new IllegalStateException("guest wrote 255");
    }
    if (has(Fault.LATE_BELL) && value == 0 && written == 0x80) {
      bells.doorbell(1, 1, OptionalLong.empty(), () -> {});
    }
    boolean wasHalf = halfUnlocked;
    halfUnlocked = false;
    switch (offset) {
      case 0 -> value = written & 0xFF;
      case 1 -> {
        ringsAt = context.clock().nanoTime() + 1000L * (written & 0xFF);
        timer.armAt(ringsAt);
      }
      case 2 -> setRung(false);
      case 3 -> {
        halfUnlocked = written == 0xA5;
        unlocked |= wasHalf && written == 0x5A;
      }
      case 4 -> copy(written);
      default -> {
        // Reserved.
      }
    }
  }

  private void copy(int length) {
    int bytes = has(Fault.LENGTH_WITHOUT_BOUND) ? length & 0x7FFF_FFFF : length & MOST_BYTES - 1;
    if (context.memory().contains(0x10_0000, bytes)) {
      copied = context.memory().read(0x10_0000, bytes).length & 0xFF;
    }
  }

  @Override
  public AlarmClockState save() {
    return new AlarmClockState(value, ringsAt, rung, halfUnlocked, unlocked, copied);
  }

  @Override
  public void restore(AlarmClockState state) {
    value = has(Fault.RESTORE_FORGETS_FIELD) ? 0 : state.value();
    ringsAt = state.ringsAt();
    if (ringsAt >= 0 && !has(Fault.RESTORE_FORGETS_TIMER)) {
      timer.armAt(ringsAt);
    }
    rung = state.rung();
    if (!has(Fault.RESTORE_FORGETS_LINE)) {
      line.set(rung);
    }
    halfUnlocked = state.halfUnlocked();
    unlocked = state.unlocked();
    copied = state.copied();
  }
}
