package io.vmm4j.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times as the command line has them. */
final class Durations {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,9})(ms|s|m|h|)");

  private Durations() {}

  /**
   * Reads {@code 500ms}, {@code 60s}, {@code 5m}, {@code 1h} or a plain number of seconds.
   *
   * @throws IllegalArgumentException if the text is none of these
   */
  static Duration parse(String text) {
    Matcher m = TEXT.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "not a time: '" + text + "' (examples: 500ms, 60s, 5m, 1h)");
    }
    long count = Long.parseLong(m.group(1));
    return switch (m.group(2)) {
      case "ms" -> Duration.ofMillis(count);
      case "m" -> Duration.ofMinutes(count);
      case "h" -> Duration.ofHours(count);
      default -> Duration.ofSeconds(count);
    };
  }

  /** The time in seconds with two decimals, such as {@code 1.25 s}. */
  static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.2f s", time.toMillis() / 1000.0);
  }

  /** The time in milliseconds with one decimal, such as {@code 1.2 ms}. */
  static String millis(Duration time) {
    return String.format(Locale.ROOT, "%.1f ms", time.toNanos() / 1e6);
  }
}
