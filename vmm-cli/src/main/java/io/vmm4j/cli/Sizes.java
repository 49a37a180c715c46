package io.vmm4j.cli;

import java.util.Locale;

/** Amounts of bytes for people. */
final class Sizes {
  private Sizes() {}

  /** The amount in the unit that suits it, such as {@code 56.2 MiB}. */
  static String text(long bytes) {
    String[] units = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
      return bytes + " bytes";
    }
    double amount = bytes / 1024.0;
    int unit = 0;
    while (amount >= 1023.95 && unit < units.length - 1) {
      amount /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", amount, units[unit]);
  }
}
