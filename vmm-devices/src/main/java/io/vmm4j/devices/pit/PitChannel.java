package io.vmm4j.devices.pit;

import io.vmm4j.devices.pit.PitState.Phase;

/**
 * One counter of an 8254 (Intel 231164, "8254 programmable interval timer"). Nothing runs: what the
 * counter holds follows from when it was loaded. The tick between a write and its effect is left
 * out. Times are ticks of the counter's clock.
 */
final class PitChannel {
  /** A tick that no machine reaches: 240 years. */
  static final long MAX_TICK = 1L << 53;

  /** What {@link #nextTransition} gives when the output stays. */
  static final long NEVER = Long.MAX_VALUE;

  private int mode;
  private int access;
  private boolean bcd;
  private boolean gate;
  private int count;
  private int nextCount;
  private Phase phase;
  private long loadTick;

  /** While counting with a count that waits: when that was written, after {@code loadTick}. */
  private long elapsed;

  private boolean lowByteWritten;
  private int lowByte;
  private boolean highByteNext;
  private int latched;
  private int latchedCount;
  private boolean statusLatched;
  private int latchedStatus;

  /** The datasheet leaves the state after power-on open: here a counter without a count. */
  void reset(boolean gateLevel) {
    mode = 3;
    access = 3;
    bcd = false;
    gate = gateLevel;
    count = 0x10000;
    nextCount = 0;
    phase = Phase.IDLE;
    loadTick = 0;
    elapsed = 0;
    lowByteWritten = false;
    lowByte = 0;
    highByteNext = false;
    latched = 0;
    latchedCount = 0;
    statusLatched = false;
    latchedStatus = 0;
  }

  boolean gate() {
    return gate;
  }

  /** A control word that selects this counter, other than read-back. */
  void control(int value, long now) {
    int bytes = value >> 4 & 3;
    if (bytes == 0) {
      latchCount(now);
      return;
    }
    elapsed = elapsed(now);
    phase = Phase.IDLE;
    access = bytes;
    mode = (value >> 1 & 7) > 5 ? (value >> 1 & 3) : value >> 1 & 7;
    bcd = (value & 1) != 0;
    nextCount = 0;
    lowByteWritten = false;
    highByteNext = false;
    latched = 0;
    statusLatched = false;
  }

  void latchCount(long now) {
    if (latched == 0) {
      latchedCount = value(now);
      latched = access == 3 ? 2 : 1;
    }
  }

  void latchStatus(long now) {
    if (!statusLatched) {
      boolean nullCount = nextCount != 0 || phase == Phase.IDLE || phase == Phase.ARMED;
      latchedStatus =
          (output(now) ? 0x80 : 0)
              | (nullCount ? 0x40 : 0)
              | access << 4
              | mode << 1
              | (bcd ? 1 : 0);
      statusLatched = true;
    }
  }

  int read(long now) {
    if (statusLatched) {
      statusLatched = false;
      return latchedStatus;
    }
    int value = latched > 0 ? latchedCount : value(now);
    latched = Math.max(0, latched - 1);
    boolean high = access == 2 || access == 3 && highByteNext;
    if (access == 3) {
      highByteNext = !highByteNext;
    }
    return (high ? value >> 8 : value) & 0xFF;
  }

  void write(int value, long now) {
    switch (access) {
      case 1 -> newCount(value, now);
      case 2 -> newCount(value << 8, now);
      default -> {
        if (lowByteWritten) {
          lowByteWritten = false;
          newCount(value << 8 | lowByte, now);
        } else {
          lowByteWritten = true;
          lowByte = value;
          if (mode == 0) {
            // The first byte stops the counter and takes the output low.
            elapsed = elapsed(now);
            phase = Phase.IDLE;
          }
        }
      }
    }
  }

  private void newCount(int written, long now) {
    int ticks = fromRegister(written);
    switch (mode) {
      case 0, 4 -> load(ticks, now);
      case 1, 5 -> {
        nextCount = ticks;
        if (phase != Phase.COUNTING) {
          phase = Phase.ARMED;
        }
      }
      default -> {
        switch (phase) {
          case COUNTING -> {
            nextCount = ticks;
            loadTick += (now - loadTick) / period() * period();
            elapsed = now - loadTick;
          }
          case PAUSED -> nextCount = ticks;
          default -> load(ticks, now);
        }
      }
    }
  }

  private void load(int ticks, long now) {
    count = ticks;
    nextCount = 0;
    loadTick = now;
    elapsed = 0;
    phase = gate || mode == 1 || mode == 5 ? Phase.COUNTING : Phase.PAUSED;
  }

  /** The level of the GATE input. */
  void setGate(boolean high, long now) {
    if (high == gate) {
      return;
    }
    boolean freeRunning = mode == 1 || mode == 5;
    if (!high && phase == Phase.COUNTING && !freeRunning) {
      elapsed = elapsed(now);
      phase = Phase.PAUSED;
    }
    gate = high;
    if (!high) {
      return;
    }
    if (freeRunning && phase != Phase.IDLE) {
      load(nextCount != 0 ? nextCount : count, now);
    } else if (phase == Phase.PAUSED) {
      if (mode == 2 || mode == 3) {
        load(nextCount != 0 ? nextCount : count, now);
      } else {
        phase = Phase.COUNTING;
        loadTick = now - elapsed;
      }
    }
  }

  /**
   * Takes the counter from one time to a later one.
   *
   * @return whether the output rose in {@code (from, to]}
   */
  boolean run(long from, long to) {
    if (phase != Phase.COUNTING || nextCount == 0 || mode != 2 && mode != 3) {
      return rose(from, to);
    }
    // A new count is loaded at the end of the period; in mode 3 at the end of the half period.
    boolean toLow = mode == 3 && elapsed < highTicks();
    long boundary = loadTick + (toLow ? highTicks() : period());
    if (boundary > to) {
      return rose(from, to);
    }
    boolean rose = rose(from, boundary);
    count = nextCount;
    nextCount = 0;
    elapsed = 0;
    loadTick = toLow ? boundary - highTicks() : boundary;
    return rose | rose(Math.max(from, boundary), to);
  }

  private boolean rose(long from, long to) {
    if (phase != Phase.COUNTING) {
      return false;
    }
    long last =
        switch (mode) {
          case 0, 1 -> loadTick + count;
          case 4, 5 -> loadTick + count + 1;
          default -> {
            long periods = (to - loadTick) / period();
            yield periods == 0 ? from : loadTick + periods * period();
          }
        };
    return last > from && last <= to;
  }

  /**
   * When the output next changes after {@code from}. The strobes of modes 2, 4 and 5, one tick
   * long, are one change: at their end.
   */
  long nextTransition(long from) {
    if (phase != Phase.COUNTING) {
      return NEVER;
    }
    if (mode != 2 && mode != 3) {
      long at = loadTick + count + (mode >= 4 ? 1 : 0);
      return at > from ? at : NEVER;
    }
    long begun = Math.floorDiv(from - loadTick, (long) period());
    long periodStart = loadTick + begun * period();
    long fall = periodStart + highTicks();
    return mode == 3 && fall > from ? fall : periodStart + period();
  }

  /** When the output next rises at or after {@code from}, in a periodic mode. */
  long nextPeriod(long from) {
    return loadTick + Math.ceilDiv(from - loadTick, (long) period()) * period();
  }

  boolean isPeriodic() {
    return phase == Phase.COUNTING && (mode == 2 || mode == 3);
  }

  /** In the periodic modes a count of 1 is not allowed; it counts as 2. */
  int period() {
    return Math.max(count, 2);
  }

  private int highTicks() {
    return (period() + 1) / 2;
  }

  private long elapsed(long now) {
    return phase == Phase.COUNTING ? Math.max(0, now - loadTick) : elapsed;
  }

  /** The level of OUT. */
  boolean output(long now) {
    long ticks = elapsed(now);
    boolean counting = phase == Phase.COUNTING;
    return switch (mode) {
      case 0 -> phase != Phase.IDLE && ticks >= count;
      case 1 -> !counting || ticks >= count;
      case 2 -> !counting || ticks % period() != period() - 1;
      case 3 -> !counting || ticks % period() < highTicks();
      default -> !counting || ticks != count;
    };
  }

  /** The level of OUT without its strobes of one tick. */
  boolean steadyOutput(long now) {
    return switch (mode) {
      case 2, 4, 5 -> true;
      default -> output(now);
    };
  }

  /** The counting element, as it is read: 16 bits. */
  private int value(long now) {
    long ticks = elapsed(now);
    long value =
        switch (mode) {
          case 2 -> period() - ticks % period();
          case 3 -> {
            long inPeriod = ticks % period();
            long inHalf = inPeriod < highTicks() ? inPeriod : inPeriod - highTicks();
            yield (period() & ~1) - 2 * inHalf;
          }
          default -> count - ticks;
        };
    return toRegister(Math.floorMod(value, bcd ? 10_000 : 0x10000));
  }

  private int fromRegister(int register) {
    if (!bcd) {
      return register == 0 ? 0x10000 : register;
    }
    int value = 0;
    for (int shift = 12; shift >= 0; shift -= 4) {
      value = value * 10 + Math.min(register >> shift & 0xF, 9);
    }
    return value == 0 ? 10_000 : value;
  }

  private int toRegister(int value) {
    if (!bcd) {
      return value;
    }
    int register = 0;
    for (int rest = value, shift = 0; shift < 16; shift += 4, rest /= 10) {
      register |= rest % 10 << shift;
    }
    return register;
  }

  PitState.Channel save() {
    return new PitState.Channel(
        mode,
        access,
        bcd,
        gate,
        count,
        nextCount,
        phase,
        loadTick,
        elapsed,
        lowByteWritten,
        lowByte,
        highByteNext,
        latched,
        latchedCount,
        statusLatched,
        latchedStatus);
  }

  void restore(PitState.Channel state) {
    mode = state.mode();
    access = state.access();
    bcd = state.bcd();
    gate = state.gate();
    count = state.count();
    nextCount = state.nextCount();
    phase = state.phase();
    loadTick = state.loadTick();
    elapsed = state.elapsed();
    lowByteWritten = state.lowByteWritten();
    lowByte = state.lowByte();
    highByteNext = state.highByteNext();
    latched = state.latched();
    latchedCount = state.latchedCount();
    statusLatched = state.statusLatched();
    latchedStatus = state.latchedStatus();
  }
}
