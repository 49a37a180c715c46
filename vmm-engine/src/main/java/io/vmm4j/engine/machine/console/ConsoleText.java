package io.vmm4j.engine.machine.console;

import java.nio.charset.StandardCharsets;

/**
 * Bytes as text: UTF-8 where they are valid, else each byte the ISO-8859-1 character of its value,
 * so that no byte is lost and every character has a place in the bytes.
 */
final class ConsoleText {
  private final byte[] bytes;
  private final String text;
  private final boolean oneByteEach;

  ConsoleText(byte[] bytes) {
    this.bytes = bytes;
    this.oneByteEach = isAscii(bytes);
    this.text =
        oneByteEach ? new String(bytes, StandardCharsets.ISO_8859_1) : decode(bytes, bytes.length);
  }

  String text() {
    return text;
  }

  /** How many bytes the first {@code chars} characters take. */
  int byteOffset(int chars) {
    if (oneByteEach) {
      return chars;
    }
    int at = 0;
    int seen = 0;
    while (seen < chars) {
      int length = sequenceLength(bytes, at, bytes.length);
      seen += length == 4 ? 2 : 1;
      at += length;
    }
    return at;
  }

  private static boolean isAscii(byte[] bytes) {
    for (byte b : bytes) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  private static String decode(byte[] bytes, int end) {
    StringBuilder out = new StringBuilder(end);
    int at = 0;
    while (at < end) {
      int length = sequenceLength(bytes, at, end);
      if (length == 1) {
        out.append((char) (bytes[at] & 0xFF));
      } else {
        out.append(new String(bytes, at, length, StandardCharsets.UTF_8));
      }
      at += length;
    }
    return out.toString();
  }

  /** The length of the valid UTF-8 sequence at a place (Unicode 15, table 3-7); 1 if none is. */
  private static int sequenceLength(byte[] bytes, int at, int end) {
    int first = bytes[at] & 0xFF;
    int length = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1;
    if (length == 1 || at + length > end) {
      return 1;
    }
    int second = bytes[at + 1] & 0xFF;
    int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (second < low || second > high) {
      return 1;
    }
    for (int i = 2; i < length; i++) {
      if ((bytes[at + i] & 0xC0) != 0x80) {
        return 1;
      }
    }
    return length;
  }
}
