package io.vmm4j.network;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Gives the guest its address (RFC 2131, RFC 2132). */
final class Dhcp {
  static final int SERVER_PORT = 67;
  static final int CLIENT_PORT = 68;

  private static final int FIXED_BYTES = 240;
  private static final int REPLY_BYTES = 300;
  private static final int COOKIE = 0x6382_5363;
  private static final int COOKIE_AT = 236;
  private static final int MAC_AT = 28;
  private static final int LEASE_SECONDS = 86_400;

  private static final int DISCOVER = 1;
  private static final int OFFER = 2;
  private static final int REQUEST = 3;
  private static final int ACKNOWLEDGE = 5;
  private static final int REFUSE = 6;
  private static final int INFORM = 8;

  private static final int OPTION_REQUESTED = 50;
  private static final int OPTION_TYPE = 53;
  private static final int OPTION_SERVER = 54;

  private Dhcp() {}

  /**
   * An answer.
   *
   * @param message the payload of the datagram
   * @param mac to whom it goes
   * @param address to whom it goes, who has an address already
   */
  record Answer(byte[] message, long mac, int address) {}

  /** Reads a message of a client's; there may be no answer to it. */
  static Optional<Answer> answer(byte[] bytes, int offset, int length) {
    if (length < FIXED_BYTES
        || bytes[offset] != 1
        || bytes[offset + 1] != 1
        || bytes[offset + 2] != 6
        || Words.get32(bytes, offset + COOKIE_AT) != COOKIE) {
      return Optional.empty();
    }
    int type = option(bytes, offset, length, OPTION_TYPE, 1);
    int server = option(bytes, offset, length, OPTION_SERVER, 4);
    if (server != 0 && server != Addresses.GATEWAY) {
      return Optional.empty(); // it has chosen somebody else
    }
    int wanted = option(bytes, offset, length, OPTION_REQUESTED, 4);
    int present = Words.get32(bytes, offset + 12);
    int address = wanted != 0 ? wanted : present;
    return switch (type) {
      case DISCOVER -> Optional.of(reply(bytes, offset, OFFER));
      case REQUEST ->
          Optional.of(reply(bytes, offset, address == Addresses.GUEST ? ACKNOWLEDGE : REFUSE));
      case INFORM -> Optional.of(reply(bytes, offset, ACKNOWLEDGE));
      default -> Optional.empty();
    };
  }

  /** The value of an option of 1 or 4 bytes, 0 if it is not there. */
  private static int option(byte[] bytes, int offset, int length, int code, int size) {
    int at = offset + FIXED_BYTES;
    int end = offset + length;
    while (at < end) {
      int option = bytes[at++] & 0xFF;
      if (option == 0xFF) {
        break;
      }
      if (option == 0) {
        continue;
      }
      if (at == end) {
        break;
      }
      int count = bytes[at++] & 0xFF;
      if (count > end - at) {
        break;
      }
      if (option == code && count == size) {
        return size == 1 ? bytes[at] & 0xFF : Words.get32(bytes, at);
      }
      at += count;
    }
    return 0;
  }

  private static Answer reply(byte[] bytes, int offset, int type) {
    byte[] message = new byte[REPLY_BYTES];
    System.arraycopy(bytes, offset, message, 0, 12);
    System.arraycopy(bytes, offset + MAC_AT, message, MAC_AT, 16);
    message[0] = 2;
    message[3] = 0;
    ByteBuffer fields = ByteBuffer.wrap(message);
    if (type != REFUSE) {
      fields.putInt(16, Addresses.GUEST);
    }
    fields.putInt(20, Addresses.GATEWAY);
    fields.putInt(COOKIE_AT, COOKIE);
    fields.position(FIXED_BYTES);
    fields.put((byte) OPTION_TYPE).put((byte) 1).put((byte) type);
    word(fields, OPTION_SERVER, Addresses.GATEWAY);
    if (type != REFUSE) {
      word(fields, 1, Addresses.MASK);
      word(fields, 3, Addresses.GATEWAY);
      word(fields, 6, Addresses.NAME_SERVER);
      word(fields, 51, LEASE_SECONDS);
    }
    fields.put((byte) 0xFF);
    boolean broadcast = type == REFUSE || (bytes[offset + 10] & 0x80) != 0;
    long mac = Words.get48(bytes, offset + MAC_AT);
    if (broadcast) {
      return new Answer(message, Addresses.BROADCAST_MAC, Addresses.LIMITED_BROADCAST);
    }
    boolean renews = Words.get32(bytes, offset + 12) == Addresses.GUEST;
    return new Answer(message, mac, renews ? Addresses.GUEST : Addresses.LIMITED_BROADCAST);
  }

  private static void word(ByteBuffer fields, int code, int value) {
    fields.put((byte) code).put((byte) 4).putInt(value);
  }
}
