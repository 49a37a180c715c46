package io.vmm4j.devices.watchdog;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.pci.BarKind;
import io.vmm4j.api.pci.PciFunction;
import io.vmm4j.devices.Checks;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The watchdog timer of the Intel 6300ESB (Intel 300641, "6300ESB I/O Controller Hub", 16). It has
 * two stages: what ends the first is not told to anybody (no interrupt is there), the end of the
 * second is the end of the guest's time. A register of its BAR is written after 0x80 and 0x86 have
 * been written to the reload register.
 */
final class Watchdog implements DeviceModel<WatchdogState>, MmioHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
  private static final int VENDOR = 0x8086;
  private static final int DEVICE = 0x25AB;
  private static final int SYSTEM_OTHER = 0x08_80_00;
  private static final int BAR_BYTES = 16;

  private static final int CONFIGURATION = 0x60;
  private static final int CONFIGURATION_BITS = 0x27;
  private static final int FAST = 1 << 2;
  private static final int HARMLESS = 1 << 5;

  private static final int LOCK = 0x68;
  private static final int LOCK_BITS = 7;
  private static final int LOCKED = 1;
  private static final int ENABLED = 1 << 1;
  private static final int FREE_RUNNING = 1 << 2;

  private static final int FIRST = 0;
  private static final int SECOND = 4;
  private static final int RELOAD = 0xC;
  private static final int UNLOCK_FIRST = 0x80;
  private static final int UNLOCK_SECOND = 0x86;
  private static final int UNLOCKED = 2;
  private static final int RELOADED = 1 << 8;
  private static final int TIMED_OUT = 1 << 9;
  private static final int MOST_TICKS = 0xF_FFFF;

  private static final long PCI_HZ = 33_000_000;
  private static final int SLOW_SHIFT = 15;
  private static final int FAST_SHIFT = 5;
  private static final long NANOS = 1_000_000_000L;

  private final WatchdogAction action;
  private final DeviceContext context;
  private final PciFunction pci;
  private final DeviceTimer timer;
  private int firstTicks;
  private int secondTicks;
  private int unlocking;
  private int lock;
  private boolean secondStage;
  private boolean timedOut;
  private long expiresAt;

  Watchdog(WatchdogConfig config, DeviceContext context) {
    this.action = config.action();
    this.context = context;
    this.timer = context.timer("stage", this::expired);
    PciFunction.Builder builder =
        PciFunction.builder(context, VENDOR, DEVICE, SYSTEM_OTHER)
            .register(CONFIGURATION, 2, 0, CONFIGURATION_BITS)
            .register(LOCK, 1, 0, LOCK_BITS)
            .onStore(offset -> configured());
    builder.memoryBar(0, BarKind.MEMORY_32, BAR_BYTES, AccessWidth.DWORD, this);
    this.pci = builder.build();
  }

  private int configuration() {
    return (int) pci.register(CONFIGURATION, 2);
  }

  /** The configuration space may have been written. */
  private void configured() {
    int wanted = (int) pci.register(LOCK, 1);
    if ((lock & LOCKED) != 0) {
      pci.setRegister(LOCK, 1, lock); // nothing of it changes any more
      return;
    }
    int before = lock;
    lock = wanted;
    if ((wanted & ENABLED) == 0) {
      timer.cancel();
      secondStage = false;
    } else if ((before & ENABLED) == 0) {
      begin(false);
    }
  }

  /** Begins a stage. */
  private void begin(boolean second) {
    secondStage = second;
    long ticks = second ? secondTicks : firstTicks;
    int shift = (configuration() & FAST) != 0 ? FAST_SHIFT : SLOW_SHIFT;
    // A preload of 0 is a tick too; so no timer fires again at once for ever.
    expiresAt = context.clock().nanoTime() + ((ticks + 1) << shift) * NANOS / PCI_HZ;
    timer.armAt(expiresAt);
  }

  private void expired() {
    if (!secondStage) {
      begin(true);
      return;
    }
    timedOut = true;
    secondStage = false;
    if ((configuration() & HARMLESS) == 0) {
      LOG.warn("{}: the guest has not kept its watchdog quiet", context.path());
      switch (action) {
        case RESET -> context.requestExit(new VmExit.Reset(VmExit.Reset.Cause.WATCHDOG));
        case POWER_OFF -> context.requestExit(new VmExit.PoweredOff());
        case NOTHING -> {
          // The guest finds the mark.
        }
      }
    }
    if ((lock & FREE_RUNNING) != 0) {
      begin(false);
    }
  }

  @Override
  public long read(long offset, int size) {
    return offset == RELOAD && timedOut ? TIMED_OUT : 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == RELOAD && value == UNLOCK_FIRST) {
      unlocking = 1;
      return;
    }
    if (offset == RELOAD && value == UNLOCK_SECOND && unlocking == 1) {
      unlocking = UNLOCKED;
      return;
    }
    boolean heard = unlocking == UNLOCKED;
    unlocking = 0;
    if (heard) {
      store((int) offset, (int) value);
    }
  }

  private void store(int offset, int value) {
    switch (offset) {
      case FIRST -> firstTicks = value & MOST_TICKS;
      case SECOND -> secondTicks = value & MOST_TICKS;
      case RELOAD -> {
        if ((value & RELOADED) != 0 && (lock & ENABLED) != 0) {
          begin(false);
        }
        if ((value & TIMED_OUT) != 0) {
          timedOut = false;
        }
      }
      default -> {
        // The interrupt status: there is no interrupt.
      }
    }
  }

  @Override
  public void reset() {
    timer.cancel();
    lock = 0;
    pci.reset();
    firstTicks = MOST_TICKS;
    secondTicks = MOST_TICKS;
    unlocking = 0;
    secondStage = false;
    timedOut = false;
  }

  @Override
  public WatchdogState save() {
    return new WatchdogState(
        pci.save(),
        firstTicks,
        secondTicks,
        unlocking,
        secondStage,
        timedOut,
        timer.isArmed() ? Optional.of(expiresAt) : Optional.empty());
  }

  @Override
  public void restore(WatchdogState state) {
    firstTicks = Checks.range("firstTicks", state.firstTicks(), 0, MOST_TICKS);
    secondTicks = Checks.range("secondTicks", state.secondTicks(), 0, MOST_TICKS);
    unlocking = Checks.range("unlocking", state.unlocking(), 0, UNLOCKED);
    timedOut = state.timedOut();
    lock = 0;
    pci.restore(state.pci());
    lock = (int) pci.register(LOCK, 1);
    secondStage = state.secondStage();
    timer.cancel();
    state
        .expiresAt()
        .ifPresent(at -> {
          expiresAt = at;
          timer.armAt(at);
        });
  }
}
