package io.vmm4j.devices.virtioinput;

import io.vmm4j.api.input.Tablet;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/**
 * What an input device says of itself (virtio 1.2, 5.8.2). Types and codes are those of Linux,
 * include/uapi/linux/input-event-codes.h.
 */
enum InputKind {
  /** A keyboard. */
  KEYBOARD("vmm4j keyboard", 1) {
    @Override
    void events(int type, BitSet codes) {
      switch (type) {
        case KEY -> codes.set(1, LAST_KEY + 1);
        case LED -> codes.set(0, 3);
        case REPEAT -> codes.set(0, 2);
        default -> {
          // None.
        }
      }
    }
  },

  /** A tablet. */
  TABLET("vmm4j tablet", 2) {
    @Override
    void events(int type, BitSet codes) {
      switch (type) {
        case KEY -> codes.set(FIRST_BUTTON, FIRST_BUTTON + Tablet.Button.values().length);
        case RELATIVE -> codes.set(WHEEL);
        case ABSOLUTE -> codes.set(X, Y + 1);
        default -> {
          // None.
        }
      }
    }
  };

  static final int SYNCHRONIZE = 0;
  static final int KEY = 1;
  static final int RELATIVE = 2;
  static final int ABSOLUTE = 3;
  static final int LED = 0x11;
  static final int REPEAT = 0x14;
  static final int LAST_KEY = 255;
  static final int FIRST_BUTTON = 0x110;
  static final int WHEEL = 8;
  static final int X = 0;
  static final int Y = 1;

  private static final int NAME = 1;
  private static final int IDS = 3;
  private static final int EVENTS = 0x11;
  private static final int AXIS = 0x12;
  private static final int BUS_VIRTUAL = 6;
  private static final int VENDOR = 0x1AF4;

  private final String label;
  private final int product;

  InputKind(String label, int product) {
    this.label = label;
    this.product = product;
  }

  /** Puts the codes of a type of event into a set. */
  abstract void events(int type, BitSet codes);

  /** An item of the configuration; nothing if there is no such item. */
  byte[] item(int select, int subselect) {
    return switch (select) {
      case NAME -> label.getBytes(StandardCharsets.US_ASCII);
      case IDS ->
          words(8)
              .putShort((short) BUS_VIRTUAL)
              .putShort((short) VENDOR)
              .putShort((short) product)
              .putShort((short) 1)
              .array();
      case EVENTS -> {
        BitSet codes = new BitSet();
        events(subselect, codes);
        yield codes.toByteArray();
      }
      case AXIS ->
          this == TABLET && subselect <= Y
              ? words(20).putInt(0).putInt(Tablet.MOST).array()
              : new byte[0];
      default -> new byte[0];
    };
  }

  private static ByteBuffer words(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
