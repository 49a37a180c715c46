package io.vmm4j.devices.rtc;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * Times in the form of the clock's registers (MC146818 datasheet, table 3): BCD or binary, 12 or 24
 * hours, by register B. The century is where PC firmware keeps it.
 */
final class TimeRegisters {
  static final int SECONDS = 0x00;
  static final int SECONDS_ALARM = 0x01;
  static final int MINUTES = 0x02;
  static final int MINUTES_ALARM = 0x03;
  static final int HOURS = 0x04;
  static final int HOURS_ALARM = 0x05;
  static final int DAY_OF_WEEK = 0x06;
  static final int DAY_OF_MONTH = 0x07;
  static final int MONTH = 0x08;
  static final int YEAR = 0x09;
  static final int CENTURY = 0x32;

  private static final int BINARY = 0x04;
  private static final int HOURS_24 = 0x02;
  private static final int AFTERNOON = 0x80;

  private TimeRegisters() {}

  static boolean isTime(int register) {
    return switch (register) {
      case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY_OF_MONTH, MONTH, YEAR, CENTURY -> true;
      default -> false;
    };
  }

  /** Writes the time into its registers. */
  static void store(Instant time, int registerB, byte[] memory) {
    LocalDateTime t = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
    memory[SECONDS] = encode(t.getSecond(), registerB);
    memory[MINUTES] = encode(t.getMinute(), registerB);
    memory[HOURS] = encodeHour(t.getHour(), registerB);
    // Sunday is 1.
    memory[DAY_OF_WEEK] = encode(t.getDayOfWeek().getValue() % 7 + 1, registerB);
    memory[DAY_OF_MONTH] = encode(t.getDayOfMonth(), registerB);
    memory[MONTH] = encode(t.getMonthValue(), registerB);
    memory[YEAR] = encode(Math.floorMod(t.getYear(), 100), registerB);
    memory[CENTURY] = encode(Math.floorDiv(t.getYear(), 100), registerB);
  }

  /** The time in the registers; values out of range count on, as the 35th of a month. */
  static Instant load(byte[] memory, int registerB) {
    int year = 100 * decode(memory[CENTURY], registerB) + decode(memory[YEAR], registerB);
    return LocalDateTime.of(year, 1, 1, 0, 0)
        .plusMonths(decode(memory[MONTH], registerB) - 1)
        .plusDays(decode(memory[DAY_OF_MONTH], registerB) - 1)
        .plusHours(decodeHour(memory[HOURS], registerB))
        .plusMinutes(decode(memory[MINUTES], registerB))
        .plusSeconds(decode(memory[SECONDS], registerB))
        .toInstant(ZoneOffset.UTC);
  }

  /**
   * The first second after {@code second} at which the alarm goes off, or {@code Long.MAX_VALUE} if
   * its registers fit no time of day.
   */
  static long nextAlarm(long second, byte[] memory, int registerB) {
    long candidate = second + 1;
    long end = candidate + 86_400;
    while (candidate < end) {
      int ofDay = (int) Math.floorMod(candidate, 86_400L);
      if (!matches(memory[HOURS_ALARM], encodeHour(ofDay / 3600, registerB))) {
        candidate += 3600 - ofDay % 3600;
      } else if (!matches(memory[MINUTES_ALARM], encode(ofDay / 60 % 60, registerB))) {
        candidate += 60 - ofDay % 60;
      } else if (!matches(memory[SECONDS_ALARM], encode(ofDay % 60, registerB))) {
        candidate++;
      } else {
        return candidate;
      }
    }
    return Long.MAX_VALUE;
  }

  /** An alarm register from 0xC0 on is "don't care". */
  private static boolean matches(byte alarm, byte time) {
    return (alarm & 0xC0) == 0xC0 || alarm == time;
  }

  private static byte encode(int value, int registerB) {
    return (byte) ((registerB & BINARY) != 0 ? value : value / 10 % 16 << 4 | value % 10);
  }

  private static int decode(byte value, int registerB) {
    return (registerB & BINARY) != 0 ? value & 0xFF : (value >> 4 & 0xF) * 10 + (value & 0xF);
  }

  private static byte encodeHour(int hour, int registerB) {
    if ((registerB & HOURS_24) != 0) {
      return encode(hour, registerB);
    }
    int afternoon = hour >= 12 ? AFTERNOON : 0;
    return (byte) (encode((hour + 11) % 12 + 1, registerB) | afternoon);
  }

  private static int decodeHour(byte value, int registerB) {
    if ((registerB & HOURS_24) != 0) {
      return decode(value, registerB);
    }
    int hour = decode((byte) (value & ~AFTERNOON), registerB) % 12;
    return (value & AFTERNOON) != 0 ? hour + 12 : hour;
  }
}
