package io.vmm4j.api;

import java.util.Locale;

/**
 * Text that a message takes from a file or a guest. Shown as it came, it could steer the terminal
 * it is printed on (ECMA-48, 5.3 and 5.4), or pass for other lines of a log. So every character
 * that is no visible one becomes an escape of the form <code>&#92;u001b</code>, as JSON has it.
 *
 * <p>Every {@link VmException} has its message so. Safe for use from any thread.
 */
public final class PrintableText {
  private PrintableText() {}

  /** Returns a text of one or several lines: line feeds and tabs stay. */
  public static String of(String text) {
    return escaped(text, true);
  }

  /** Returns a text that is part of a line: line feeds and tabs are escaped too. */
  public static String line(String text) {
    return escaped(text, false);
  }

  private static String escaped(String text, boolean lines) {
    StringBuilder out = null;
    for (int i = 0; i < text.length(); ) {
      int character = text.codePointAt(i);
      int next = i + Character.charCount(character);
      boolean stays = isVisible(character) || lines && isLayout(text, i, character);
      if (!stays && out == null) {
        out = new StringBuilder(text.length() + 16).append(text, 0, i);
      }
      if (out != null) {
        if (stays) {
          out.appendCodePoint(character);
        } else {
          for (int k = i; k < next; k++) {
            out.append(String.format(Locale.ROOT, "\\u%04x", (int) text.charAt(k)));
          }
        }
      }
      i = next;
    }
    return out == null ? text : out.toString();
  }

  /** A carriage return belongs to a line's end, and is nothing alone but a way to overwrite one. */
  private static boolean isLayout(String text, int at, int character) {
    return character == '\n'
        || character == '\t'
        || character == '\r' && at + 1 < text.length() && text.charAt(at + 1) == '\n';
  }

  private static boolean isVisible(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT, // such as those that turn the direction of writing
          Character.SURROGATE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
