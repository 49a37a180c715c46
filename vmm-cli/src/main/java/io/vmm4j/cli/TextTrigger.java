package io.vmm4j.cli;

import java.nio.charset.StandardCharsets;

/**
 * Finds the first occurrence of a text in a stream of bytes that comes in pieces (Knuth, Morris and
 * Pratt: no byte is looked at again).
 */
final class TextTrigger {
  private final byte[] wanted;
  private final int[] fallback;
  private final Runnable action;
  private int matched;
  private boolean found;

  /**
   * A trigger.
   *
   * @param text at least one character
   * @param action run once, by the thread that delivers the last byte of the text
   */
  TextTrigger(String text, Runnable action) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the text to wait for is empty");
    }
    this.wanted = text.getBytes(StandardCharsets.UTF_8);
    this.fallback = fallback(wanted);
    this.action = action;
  }

  /** Takes the next bytes. */
  void accept(byte[] bytes) {
    for (int i = 0; i < bytes.length && !found; i++) {
      while (matched > 0 && bytes[i] != wanted[matched]) {
        matched = fallback[matched - 1];
      }
      if (bytes[i] == wanted[matched]) {
        matched++;
      }
      if (matched == wanted.length) {
        found = true;
        action.run();
      }
    }
  }

  /** For each prefix, the length of its longest proper prefix that is also its end. */
  private static int[] fallback(byte[] text) {
    int[] lengths = new int[text.length];
    int length = 0;
    for (int i = 1; i < text.length; i++) {
      while (length > 0 && text[i] != text[length]) {
        length = lengths[length - 1];
      }
      if (text[i] == text[length]) {
        length++;
      }
      lengths[i] = length;
    }
    return lengths;
  }
}
