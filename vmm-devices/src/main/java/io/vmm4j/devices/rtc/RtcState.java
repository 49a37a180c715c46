package io.vmm4j.devices.rtc;

import io.vmm4j.devices.Checks;

/**
 * State of the clock.
 *
 * @param index the selected register, 0 to 127
 * @param memory all 128 bytes; those of the time count only while it stands
 * @param registerA rate and divider
 * @param registerB control
 * @param flags PF, AF and UF of register C
 * @param offsetSeconds whole seconds by which the clock is ahead of the machine's wall clock
 * @param offsetNanos the rest, 0 to 999 999 999
 * @param updatedSecond the second, since 1970, of the update that was last looked at
 * @param periodicTick the tick of 32.768 kHz at which periodic interrupts were last looked at
 */
public record RtcState(
    int index,
    byte[] memory,
    int registerA,
    int registerB,
    int flags,
    long offsetSeconds,
    int offsetNanos,
    long updatedSecond,
    long periodicTick) {

  /** Further than the registers can say. */
  private static final long MOST_SECONDS = 1L << 42;

  /** Checks ranges. */
  public RtcState {
    Checks.range("index", index, 0, 127);
    Checks.length("memory", memory, Rtc.MEMORY_BYTES);
    Checks.range("registerA", registerA, 0, 0x7F);
    Checks.unsignedByte("registerB", registerB);
    Checks.range("flags & ~0x70", flags & ~0x70, 0, 0);
    Checks.range("offsetSeconds", offsetSeconds, -MOST_SECONDS, MOST_SECONDS);
    Checks.range("offsetNanos", offsetNanos, 0, 999_999_999);
    Checks.range("updatedSecond", updatedSecond, -MOST_SECONDS, MOST_SECONDS);
    Checks.range("periodicTick", periodicTick, 0, 1L << 48);
  }
}
