package io.vmm4j.devices.i8042;

import java.util.ArrayDeque;

/**
 * A PS/2 keyboard on which nobody types (IBM PS/2 hardware interface technical reference,
 * "Keyboard/101- and 102-key"): it answers commands.
 */
final class Ps2Keyboard {
  static final int QUEUE_BYTES = 16;

  private static final int ACKNOWLEDGE = 0xFA;
  private static final int RESEND = 0xFE;
  private static final int SELF_TEST_PASSED = 0xAA;

  private static final int SET_LEDS = 0xED;
  private static final int ECHO = 0xEE;
  private static final int SCAN_SET = 0xF0;
  private static final int IDENTIFY = 0xF2;
  private static final int SET_RATE = 0xF3;
  private static final int ENABLE = 0xF4;
  private static final int DISABLE = 0xF5;
  private static final int DEFAULTS = 0xF6;
  private static final int RESET = 0xFF;

  /** 10.9 characters a second after 500 ms. */
  private static final int DEFAULT_RATE = 0x2B;

  private final ArrayDeque<Integer> queue = new ArrayDeque<>(QUEUE_BYTES);
  private boolean scanning;
  private int scanSet;
  private int leds;
  private int rate;
  private int awaited;
  private int lastSent;

  void reset() {
    queue.clear();
    defaults();
    scanning = true;
    leds = 0;
    awaited = 0;
    lastSent = 0;
  }

  private void defaults() {
    scanSet = 2;
    rate = DEFAULT_RATE;
  }

  boolean hasOutput() {
    return !queue.isEmpty();
  }

  /** The next byte it sends; only when it {@link #hasOutput}. */
  int send() {
    lastSent = queue.remove();
    return lastSent;
  }

  /** A byte from the host; {@code translated} if the controller translates to scan code set 1. */
  void receive(int value, boolean translated) {
    if (awaited != 0 && value < 0x80) {
      data(value, translated);
      return;
    }
    awaited = 0;
    switch (value) {
      case SET_LEDS, SCAN_SET, SET_RATE -> {
        answer(ACKNOWLEDGE);
        awaited = value;
      }
      // Keys of set 3 one by one: 0xFB to 0xFD take a key's code, 0xF7 to 0xFA are for all.
      case 0xFB, 0xFC, 0xFD -> {
        answer(ACKNOWLEDGE);
        awaited = value;
      }
      case 0xF7, 0xF8, 0xF9, 0xFA -> answer(ACKNOWLEDGE);
      case ECHO -> answer(ECHO);
      case IDENTIFY -> {
        answer(ACKNOWLEDGE);
        answer(0xAB);
        answer(translated ? 0x41 : 0x83);
      }
      case ENABLE -> {
        queue.clear();
        scanning = true;
        answer(ACKNOWLEDGE);
      }
      case DISABLE, DEFAULTS -> {
        queue.clear();
        defaults();
        scanning = value == DEFAULTS;
        answer(ACKNOWLEDGE);
      }
      case RESEND -> answer(lastSent);
      case RESET -> {
        reset();
        answer(ACKNOWLEDGE);
        answer(SELF_TEST_PASSED);
      }
      default -> answer(RESEND);
    }
  }

  private void data(int value, boolean translated) {
    int command = awaited;
    awaited = 0;
    switch (command) {
      case SET_LEDS -> leds = value & 7;
      case SET_RATE -> rate = value & 0x7F;
      case SCAN_SET -> {
        if (value > 3) {
          answer(RESEND);
          return;
        }
        answer(ACKNOWLEDGE);
        if (value == 0) {
          answer(translated ? translatedScanSet() : scanSet);
        } else {
          scanSet = value;
        }
        return;
      }
      default -> {
        // A key's own behaviour: there are no keys.
      }
    }
    answer(ACKNOWLEDGE);
  }

  /** The codes that the controller makes of 1, 2 and 3. */
  private int translatedScanSet() {
    return switch (scanSet) {
      case 1 -> 0x43;
      case 2 -> 0x41;
      default -> 0x3F;
    };
  }

  private void answer(int value) {
    if (queue.size() < QUEUE_BYTES) {
      queue.add(value);
    }
  }

  I8042State.Keyboard save() {
    byte[] waiting = new byte[queue.size()];
    int i = 0;
    for (int value : queue) {
      waiting[i++] = (byte) value;
    }
    return new I8042State.Keyboard(scanning, scanSet, leds, rate, awaited, lastSent, waiting);
  }

  void restore(I8042State.Keyboard state) {
    scanning = state.scanning();
    scanSet = state.scanSet();
    leds = state.leds();
    rate = state.rate();
    awaited = state.awaited();
    lastSent = state.lastSent();
    queue.clear();
    for (byte value : state.queue()) {
      queue.add(value & 0xFF);
    }
  }
}
