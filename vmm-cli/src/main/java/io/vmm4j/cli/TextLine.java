package io.vmm4j.cli;

import io.vmm4j.api.PrintableText;
import java.util.Arrays;
import java.util.Locale;

/** A line of a page about a file: whatever its parts hold, it stays one line. */
final class TextLine {
  private TextLine() {}

  /** Formats a line, with its line feed; texts among the arguments are made printable. */
  static String of(String format, Object... arguments) {
    Object[] safe =
        Arrays.stream(arguments)
            .map(part -> part instanceof Number ? part : PrintableText.line(String.valueOf(part)))
            .toArray();
    return String.format(Locale.ROOT, format, safe) + "\n";
  }
}
