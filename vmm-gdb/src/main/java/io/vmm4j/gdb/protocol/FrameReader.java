package io.vmm4j.gdb.protocol;

import java.io.ByteArrayOutputStream;
import java.util.Optional;

/**
 * Takes frames from a stream of bytes ("Debugging with GDB", appendix E.1): {@code
 * $payload#checksum}, the checksum being the sum of the bytes between the signs modulo 256 in two
 * hexadecimal digits; <code>}</code> makes the next byte itself XOR 0x20. Between packets there are
 * acknowledgements and interrupts; any other byte there is {@link Frame.Foreign}. A web page can
 * make a browser send a packet in the body of an HTTP request, so nothing before a packet is
 * skipped. Keeps no more than one packet.
 */
public final class FrameReader {
  /** The longest packet, without its frame. */
  public static final int MOST_BYTES = 0x4000;

  private static final int INTERRUPT = 3;
  private static final int ESCAPE = 0x7D;
  private static final int ESCAPED = 0x20;

  private enum Phase {
    BETWEEN,
    PAYLOAD,
    FIRST_DIGIT,
    SECOND_DIGIT
  }

  private final ByteArrayOutputStream payload = new ByteArrayOutputStream();
  private Phase phase = Phase.BETWEEN;
  private int length;
  private int sum;
  private boolean escaped;
  private int firstDigit;

  /** Takes one more byte; a frame if it was the last one of it. */
  public Optional<Frame> accept(byte next) {
    int b = next & 0xFF;
    return switch (phase) {
      case BETWEEN -> between(b);
      case PAYLOAD -> payload(b);
      case FIRST_DIGIT -> {
        firstDigit = Character.digit(b, 16);
        phase = Phase.SECOND_DIGIT;
        yield Optional.empty();
      }
      case SECOND_DIGIT -> {
        phase = Phase.BETWEEN;
        int second = Character.digit(b, 16);
        boolean right = firstDigit >= 0 && second >= 0 && (firstDigit << 4 | second) == sum;
        yield Optional.of(
            right && !escaped ? new Frame.Packet(payload.toByteArray()) : new Frame.Damaged());
      }
    };
  }

  private Optional<Frame> between(int b) {
    return switch (b) {
      case '$' -> {
        begin();
        yield Optional.empty();
      }
      case '+' -> Optional.empty();
      case '-' -> Optional.of(new Frame.Repeat());
      case INTERRUPT -> Optional.of(new Frame.Interrupt());
      default -> Optional.of(new Frame.Foreign((byte) b));
    };
  }

  private void begin() {
    payload.reset();
    length = 0;
    sum = 0;
    escaped = false;
    phase = Phase.PAYLOAD;
  }

  private Optional<Frame> payload(int b) {
    if (b == '#') {
      phase = Phase.FIRST_DIGIT;
      return Optional.empty();
    }
    if (b == '$') {
      begin(); // the one before was cut off
      return Optional.empty();
    }
    if (++length > MOST_BYTES) {
      phase = Phase.BETWEEN;
      return Optional.of(new Frame.TooLong());
    }
    sum = sum + b & 0xFF;
    if (escaped) {
      payload.write(b ^ ESCAPED);
      escaped = false;
    } else if (b == ESCAPE) {
      escaped = true;
    } else {
      payload.write(b);
    }
    return Optional.empty();
  }

  /** The frame of a packet. */
  public static byte[] frame(byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(payload.length + 8);
    int sum = 0;
    out.write('$');
    for (byte value : payload) {
      int b = value & 0xFF;
      if (b == '$' || b == '#' || b == ESCAPE || b == '*') {
        out.write(ESCAPE);
        sum += ESCAPE;
        b ^= ESCAPED;
      }
      out.write(b);
      sum += b;
    }
    out.write('#');
    out.write(Character.forDigit(sum >>> 4 & 15, 16));
    out.write(Character.forDigit(sum & 15, 16));
    return out.toByteArray();
  }
}
