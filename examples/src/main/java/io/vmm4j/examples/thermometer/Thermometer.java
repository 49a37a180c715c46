package io.vmm4j.examples.thermometer;

import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PortHandler;

/**
 * A thermometer in a room that gets warmer, with an alarm.
 *
 * <table>
 * <caption>Its ports, a byte each</caption>
 * <tr><td>+0</td><td>read: the temperature in degrees Celsius</td></tr>
 * <tr><td>+1</td><td>read, write: the threshold of the alarm; 255 at power-on</td></tr>
 * <tr><td>+2</td><td>read: bit 0 is the alarm; write 1 to bit 0: takes it back</td></tr>
 * </table>
 *
 * The interrupt line is asserted as long as the alarm is given. The alarm is given when the
 * temperature rises to the threshold or a threshold is set that it has reached.
 *
 * <p>Everything here is called with the machine lock held, so there is no lock.
 */
final class Thermometer implements DeviceModel<ThermometerState>, PortHandler {
  static final int HOTTEST = 99;
  private static final int PORTS = 3;
  private static final int NO_THRESHOLD = 255;
  private static final int ALARM = 1;

  private final ThermometerConfig config;
  private final VmClock clock;
  private final InterruptLine line;
  private final DeviceTimer timer;

  private int celsius;
  private int threshold = NO_THRESHOLD;
  private boolean alarm;
  private long nextDegreeAt;

  /** Claims what the device needs of the machine. It is whole when this returns. */
  Thermometer(ThermometerConfig config, DeviceContext context) {
    this.config = config;
    clock = context.clock();
    line = context.interruptLine(config.irq());
    timer = context.timer("degree", this::getWarmer);
    context.claimPorts(config.port(), PORTS, AccessWidth.BYTE, this);
  }

  @Override
  public void reset() {
    celsius = config.celsius();
    threshold = NO_THRESHOLD;
    setAlarm(false);
    // Guest time, not the host's: it stands while the machine is paused, and repeats when it does.
    nextDegreeAt = clock.nanoTime() + nanosPerDegree();
    timer.armAt(nextDegreeAt);
  }

  @Override
  public int read(int offset, int size) {
    return switch (offset) {
      case 0 -> celsius;
      case 1 -> threshold;
      default -> alarm ? ALARM : 0;
    };
  }

  @Override
  public void write(int offset, int size, int value) {
    switch (offset) {
      case 1 -> {
        threshold = value;
        setAlarm(alarm || celsius >= threshold);
      }
      case 2 -> setAlarm(alarm && (value & ALARM) == 0);
      default -> {
        // The temperature can't be written. Whatever a guest does, a device does not throw.
      }
    }
  }

  private void getWarmer() {
    if (celsius < HOTTEST) {
      celsius++;
      setAlarm(alarm || celsius == threshold);
    }
    nextDegreeAt += nanosPerDegree();
    timer.armAt(nextDegreeAt);
  }

  private void setAlarm(boolean given) {
    alarm = given;
    line.set(given);
  }

  private long nanosPerDegree() {
    return config.millisPerDegree() * 1_000_000L;
  }

  @Override
  public ThermometerState save() {
    return new ThermometerState(celsius, threshold, alarm, nextDegreeAt);
  }

  /** The other way round: registers, the level of the line, the timer. No other device. */
  @Override
  public void restore(ThermometerState state) {
    celsius = state.celsius();
    threshold = state.threshold();
    setAlarm(state.alarm());
    nextDegreeAt = state.nextDegreeAt();
    timer.armAt(nextDegreeAt);
  }
}
