package io.vmm4j.devices.pit;

import io.vmm4j.devices.Checks;
import java.util.List;

/**
 * State of the timer. Times are ticks of 1.193182 MHz since the machine was first started.
 *
 * @param channels the three counters
 * @param speaker bits 0 to 3 of port 0x61
 * @param lineAsserted whether interrupt line 0 is driven
 * @param lineTick up to when the interrupt line follows the output of channel 0
 * @param edgeTick when the interrupt line last rose
 */
public record PitState(
    List<Channel> channels, int speaker, boolean lineAsserted, long lineTick, long edgeTick) {

  /** Checks ranges. */
  public PitState {
    channels = List.copyOf(channels);
    Checks.range("channels", channels.size(), Pit.CHANNELS, Pit.CHANNELS);
    Checks.range("speaker", speaker, 0, 0xF);
    Checks.range("lineTick", lineTick, 0, PitChannel.MAX_TICK);
    Checks.range("edgeTick", edgeTick, -PitChannel.MAX_TICK, PitChannel.MAX_TICK);
  }

  /** What a counter is doing. */
  public enum Phase {
    /** It has a control word, but no count yet. */
    IDLE,
    /** It has a count, and waits for a rising edge of GATE (modes 1 and 5). */
    ARMED,
    /** It counts. */
    COUNTING,
    /** It stands because GATE is low. */
    PAUSED
  }

  /**
   * State of one counter.
   *
   * @param mode 0 to 5
   * @param access which bytes are read and written: 1 low, 2 high, 3 low then high
   * @param bcd whether it counts in BCD
   * @param gate the level of its GATE input
   * @param count what it counts from, 1 to 65536
   * @param nextCount what is to be loaded next, 1 to 65536, or 0 if nothing waits
   * @param phase what it is doing
   * @param loadTick when {@code count} was loaded, while it counts
   * @param elapsed how many ticks it had counted, while it stands
   * @param lowByteWritten whether the high byte of a count is to follow
   * @param lowByte the low byte of that count
   * @param highByteNext whether the next read gives the high byte
   * @param latched how many bytes of a latched count are still to be read, 0 to 2
   * @param latchedCount the latched count as it is read
   * @param statusLatched whether the next read gives the latched status
   * @param latchedStatus the latched status
   */
  public record Channel(
      int mode,
      int access,
      boolean bcd,
      boolean gate,
      int count,
      int nextCount,
      Phase phase,
      long loadTick,
      long elapsed,
      boolean lowByteWritten,
      int lowByte,
      boolean highByteNext,
      int latched,
      int latchedCount,
      boolean statusLatched,
      int latchedStatus) {

    /** Checks ranges. */
    public Channel {
      Checks.range("mode", mode, 0, 5);
      Checks.range("access", access, 1, 3);
      Checks.range("count", count, 1, 0x10000);
      Checks.range("nextCount", nextCount, 0, 0x10000);
      Checks.range("loadTick", loadTick, -0x10000, PitChannel.MAX_TICK);
      Checks.range("elapsed", elapsed, 0, PitChannel.MAX_TICK);
      Checks.unsignedByte("lowByte", lowByte);
      Checks.range("latched", latched, 0, 2);
      Checks.range("latchedCount", latchedCount, 0, 0xFFFF);
      Checks.unsignedByte("latchedStatus", latchedStatus);
    }
  }
}
