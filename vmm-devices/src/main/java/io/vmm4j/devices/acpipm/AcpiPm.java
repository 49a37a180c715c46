package io.vmm4j.devices.acpipm;

import io.vmm4j.api.PowerButton;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;

/**
 * ACPI fixed hardware (ACPI 6.4, 4.8.3): the PM1a event and control blocks, the PM timer, the power
 * button, and the reset control register of the PC at 0xCF9 (ICH4 datasheet, 9.7.5). ACPI mode is
 * always on: there is no system management mode to leave it to.
 */
final class AcpiPm implements DeviceModel<AcpiPmState> {
  /** 3.579545 MHz: a quarter of the 14.31818 MHz crystal. */
  static final long FREQUENCY_HZ = 3_579_545;

  private static final int TIMER_BITS = 24;

  /** TMR, GBL, PWRBTN, SLPBTN, RTC: what has both a status and an enable bit. */
  private static final int EVENTS = 0x0721;

  /** The events, BM and WAK. */
  private static final int STATUS_BITS = EVENTS | 0x8010;

  private static final int TIMER_STATUS = 0x0001;
  private static final int POWER_BUTTON_STATUS = 0x0100;

  private static final int SCI_ENABLE = 0x0001;
  private static final int SLEEP_TYPE_SHIFT = 10;
  private static final int SLEEP_ENABLE = 0x2000;

  /** BM_RLD and SLP_TYP. */
  private static final int CONTROL_BITS = 0x1C02;

  private static final int RESET_CPU = 0x04;
  private static final int RESET_VALUE = 0x06;

  private final AcpiPmConfig config;
  private final DeviceContext context;
  private final DeviceTimer timer;
  private final InterruptLine line;
  private int status;
  private int enable;
  private int control;
  private long timerPeriods;
  private int resetControl;

  AcpiPm(AcpiPmConfig config, DeviceContext machine) {
    this.config = config;
    context = machine;
    line = machine.interruptLine(config.irq());
    timer = machine.timer("timer overflow", this::update);
    machine.claimPorts(config.port(), 4, AccessWidth.WORD, new EventBlock());
    machine.claimPorts(config.port() + 4, 2, AccessWidth.WORD, new ControlBlock());
    machine.claimPorts(config.port() + 8, 4, AccessWidth.DWORD, new TimerBlock());
    machine.claimPorts(config.resetPort(), 1, AccessWidth.BYTE, new ResetRegister());
    machine.describe(
        new PlatformFact.PowerManagement(
            config.port(), config.port() + 4, config.port() + 8, config.irq(), config.sleepType()));
    machine.offer(PowerButton.class, () -> machine.execute(this::powerButtonPressed));
    machine.describe(new PlatformFact.PowerButton());
    machine.describe(new PlatformFact.ResetRegister(config.resetPort(), RESET_VALUE));
    if (config.irq() < 16) {
      // Without this, systems take the SCI for active low.
      machine.describe(new PlatformFact.InterruptOverride(config.irq(), config.irq(), false, true));
    }
  }

  @Override
  public void reset() {
    status = 0;
    enable = 0;
    control = 0;
    timerPeriods = periods();
    resetControl = 0;
    update();
  }

  private long ticks() {
    return context.clock().ticks(FREQUENCY_HZ);
  }

  /** How often the timer's highest bit has changed: each change sets TMR_STS. */
  private long periods() {
    return ticks() >> TIMER_BITS - 1;
  }

  /** Brings the status, the interrupt and the timer up to date. */
  private void update() {
    long periods = periods();
    if (periods != timerPeriods) {
      timerPeriods = periods;
      status |= TIMER_STATUS;
    }
    drive();
  }

  private void drive() {
    line.set((status & enable & EVENTS) != 0);
    if ((enable & TIMER_STATUS) != 0 && (status & TIMER_STATUS) == 0) {
      timer.armAt(VmClock.ticksToNanos(timerPeriods + 1 << TIMER_BITS - 1, FREQUENCY_HZ));
    } else {
      timer.cancel();
    }
  }

  private void powerButtonPressed() {
    update();
    status |= POWER_BUTTON_STATUS;
    drive();
  }

  /** The value of a 16-bit register after a write of one or both of its bytes. */
  private static int merge(int register, int offset, int size, int value) {
    int shift = (offset & 1) * 8;
    int written = size == 2 ? 0xFFFF : 0xFF << shift;
    return register & ~written | value << shift & written;
  }

  private final class EventBlock implements PortHandler {
    @Override
    public int read(int offset, int size) {
      update();
      return (offset < 2 ? status : enable) >> (offset & 1) * 8;
    }

    @Override
    public void write(int offset, int size, int value) {
      update();
      if (offset < 2) {
        status &= ~merge(0, offset, size, value);
      } else {
        enable = merge(enable, offset, size, value) & EVENTS;
      }
      drive();
    }
  }

  private final class ControlBlock implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return (control | SCI_ENABLE) >> (offset & 1) * 8;
    }

    @Override
    public void write(int offset, int size, int value) {
      int written = merge(control, offset, size, value);
      control = written & CONTROL_BITS;
      // SLP_EN is write-only. The other sleeping states are not described, and do nothing.
      if ((written & SLEEP_ENABLE) != 0
          && (control >> SLEEP_TYPE_SHIFT & 7) == config.sleepType()) {
        context.requestExit(new VmExit.PoweredOff());
      }
    }
  }

  private final class TimerBlock implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return (int) (ticks() & (1 << TIMER_BITS) - 1) >> offset * 8;
    }

    @Override
    public void write(int offset, int size, int value) {
      // Read only.
    }
  }

  private final class ResetRegister implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return resetControl;
    }

    @Override
    public void write(int offset, int size, int value) {
      // SYS_RST and FULL_RST choose the kind of reset; RST_CPU begins it.
      resetControl = value & 0x0A;
      if ((value & RESET_CPU) != 0) {
        context.requestExit(new VmExit.Reset(VmExit.Reset.Cause.RESET_CONTROL_REGISTER));
      }
    }
  }

  @Override
  public AcpiPmState save() {
    return new AcpiPmState(status, enable, control, timerPeriods, resetControl);
  }

  @Override
  public void restore(AcpiPmState state) {
    status = state.status() & STATUS_BITS;
    enable = state.enable() & EVENTS;
    control = state.control() & CONTROL_BITS;
    timerPeriods = state.timerPeriods();
    resetControl = state.resetControl();
    drive();
  }
}
