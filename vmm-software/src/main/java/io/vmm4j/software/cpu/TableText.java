package io.vmm4j.software.cpu;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Text of a table, read line by line and word by word. It is bytes because the tables are read once
 * when the first machine starts, by code that is not yet compiled, for which a call for each
 * character would take most of the time.
 */
final class TableText {
  private final byte[] bytes;
  private int at;
  private int next;

  TableText(String text) {
    bytes = text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Goes to the next line; false at the end. */
  boolean nextLine() {
    at = next;
    int end = at;
    while (end < bytes.length && bytes[end] != '\n') {
      end++;
    }
    next = end + 1;
    return at < bytes.length;
  }

  /** The next word of the line, or null if there is none. */
  @Nullable String word() {
    while (at < next - 1 && bytes[at] == ' ') {
      at++;
    }
    int begin = at;
    while (at < next - 1 && bytes[at] != ' ') {
      at++;
    }
    return begin == at ? null : new String(bytes, begin, at - begin, StandardCharsets.ISO_8859_1);
  }

  /** The next word, which has to be there. */
  String requiredWord() {
    String word = word();
    if (word == null) {
      throw new IllegalStateException("a word is missing before byte " + at);
    }
    return word;
  }
}
