package io.vmm4j.devices.pit;

import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PortHandler;
import java.util.List;

/**
 * The 8254 at ports 0x40 to 0x43 (Intel 231164) and system control port B, 0x61 (IBM PC AT
 * technical reference, 5-86): channel 0 drives interrupt line 0, channel 1 is free, channel 2 has
 * its gate and its output in port 0x61.
 *
 * <p>The interrupt line rises at the ticks at which the output does, counted from the load: it has
 * no drift. Interrupts closer than 100 µs, and those that a late timer missed, become one.
 */
final class Pit implements DeviceModel<PitState>, PortHandler {
  static final int CHANNELS = 3;

  /** 1.193182 MHz: a twelfth of the 14.31818 MHz crystal. */
  static final long FREQUENCY_HZ = 1_193_182;

  private static final int FIRST_PORT = 0x40;
  private static final int CONTROL = 3;
  private static final int PORT_B = 0x61;

  private static final int SPEAKER_GATE = 0x01;
  private static final int REFRESH_TOGGLE = 0x10;
  private static final int SPEAKER_OUTPUT = 0x20;

  /** 100 µs, half of what any system asks for: bounds what a guest can make the host do. */
  private static final long LEAST_INTERVAL_TICKS = 120;

  /** DRAM refresh every 18 ticks. */
  private static final long REFRESH_TICKS = 18;

  private final PitChannel[] channels = {new PitChannel(), new PitChannel(), new PitChannel()};
  private final VmClock clock;
  private final DeviceTimer timer;
  private final InterruptLine line;
  private int speaker;
  private boolean lineAsserted;
  private long lineTick;
  private long edgeTick;

  @SuppressWarnings("unused") // Every device is made from its configuration.
  Pit(PitConfig config, DeviceContext context) {
    clock = context.clock();
    line = context.interruptLine(0);
    timer = context.timer("channel 0", this::follow);
    context.claimPorts(FIRST_PORT, 4, AccessWidth.BYTE, this);
    context.claimPorts(PORT_B, 1, AccessWidth.BYTE, new SystemControlPortB());
  }

  @Override
  public void reset() {
    channels[0].reset(true);
    channels[1].reset(true);
    channels[2].reset(false);
    speaker = 0;
    lineTick = now();
    edgeTick = lineTick - LEAST_INTERVAL_TICKS;
    // The output of a counter without a count is high in mode 3; a board holds the line low until
    // the counter is first programmed.
    lineAsserted = false;
    line.set(false);
    timer.cancel();
  }

  private long now() {
    return clock.ticks(FREQUENCY_HZ);
  }

  @Override
  public int read(int offset, int size) {
    long now = now();
    if (offset == CONTROL) {
      return 0xFF;
    }
    settle(offset, now);
    return channels[offset].read(now);
  }

  @Override
  public void write(int offset, int size, int value) {
    long now = now();
    if (offset != CONTROL) {
      settle(offset, now);
      channels[offset].write(value, now);
      changed(offset, now);
      return;
    }
    int selected = value >> 6;
    if (selected < CHANNELS) {
      settle(selected, now);
      channels[selected].control(value, now);
      if ((value & 0x30) != 0) {
        changed(selected, now);
      }
      return;
    }
    for (int channel = 0; channel < CHANNELS; channel++) {
      if ((value & 2 << channel) != 0) {
        readBack(channel, value, now);
      }
    }
  }

  /** The read-back command: bits 5 and 4 low latch count and status. */
  private void readBack(int channel, int command, long now) {
    settle(channel, now);
    if ((command & 0x20) == 0) {
      channels[channel].latchCount(now);
    }
    if ((command & 0x10) == 0) {
      channels[channel].latchStatus(now);
    }
  }

  /** Brings a channel up to now, before anything is asked of it. */
  private void settle(int channel, long now) {
    if (channel == 0) {
      followOutput(now);
    } else {
      channels[channel].run(now, now);
    }
  }

  private void changed(int channel, long now) {
    if (channel == 0) {
      drive(channels[0].steadyOutput(now));
      arm();
    }
  }

  /** The timer's action. */
  private void follow() {
    followOutput(now());
    arm();
  }

  private void followOutput(long now) {
    if (now <= lineTick) {
      return;
    }
    boolean rose = channels[0].run(lineTick, now);
    lineTick = now;
    if (rose) {
      drive(false);
      drive(true);
      edgeTick = now;
    }
    if (channels[0].isPeriodic() || lineAsserted) {
      drive(channels[0].steadyOutput(now));
    }
  }

  private void drive(boolean asserted) {
    if (asserted != lineAsserted) {
      lineAsserted = asserted;
      line.set(asserted);
    }
  }

  private void arm() {
    PitChannel channel = channels[0];
    long next = channel.nextTransition(lineTick);
    if (channel.isPeriodic() && channel.period() < 2 * LEAST_INTERVAL_TICKS) {
      next = channel.nextPeriod(Math.max(lineTick + 1, edgeTick + LEAST_INTERVAL_TICKS));
    }
    if (next == PitChannel.NEVER) {
      timer.cancel();
    } else {
      timer.armAt(VmClock.ticksToNanos(next, FREQUENCY_HZ));
    }
  }

  private final class SystemControlPortB implements PortHandler {
    @Override
    public int read(int offset, int size) {
      long now = now();
      settle(2, now);
      return speaker
          | (now / REFRESH_TICKS % 2 != 0 ? REFRESH_TOGGLE : 0)
          | (channels[2].output(now) ? SPEAKER_OUTPUT : 0);
    }

    @Override
    public void write(int offset, int size, int value) {
      long now = now();
      settle(2, now);
      speaker = value & 0xF;
      channels[2].setGate((value & SPEAKER_GATE) != 0, now);
    }
  }

  @Override
  public PitState save() {
    return new PitState(
        List.of(channels[0].save(), channels[1].save(), channels[2].save()),
        speaker,
        lineAsserted,
        lineTick,
        edgeTick);
  }

  @Override
  public void restore(PitState state) {
    for (int channel = 0; channel < CHANNELS; channel++) {
      channels[channel].restore(state.channels().get(channel));
    }
    speaker = state.speaker();
    lineAsserted = state.lineAsserted();
    lineTick = state.lineTick();
    edgeTick = state.edgeTick();
    line.set(lineAsserted);
    arm();
  }
}
