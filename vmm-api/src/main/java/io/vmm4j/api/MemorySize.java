package io.vmm4j.api;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of memory.
 *
 * @param bytes zero or more
 */
public record MemorySize(long bytes) implements Comparable<MemorySize> {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,18})\\s*([kmgtKMGT]?)(i?[bB])?");

  /** Refuses a negative size. */
  public MemorySize {
    if (bytes < 0) {
      throw new IllegalArgumentException("negative memory size: " + bytes);
    }
  }

  /** So many bytes. */
  public static MemorySize bytes(long bytes) {
    return new MemorySize(bytes);
  }

  /** So many KiB (1024 bytes). */
  public static MemorySize kibibytes(long count) {
    return new MemorySize(Math.multiplyExact(count, 1L << 10));
  }

  /** So many MiB (1024 KiB). */
  public static MemorySize mebibytes(long count) {
    return new MemorySize(Math.multiplyExact(count, 1L << 20));
  }

  /** So many GiB (1024 MiB). */
  public static MemorySize gibibytes(long count) {
    return new MemorySize(Math.multiplyExact(count, 1L << 30));
  }

  /**
   * Reads {@code 512M}, {@code 2G}, {@code 64KiB} or a plain number of bytes; units are binary.
   *
   * @throws IllegalArgumentException if the text is none of these
   */
  public static MemorySize parse(String text) {
    Matcher m = TEXT.matcher(Objects.requireNonNull(text, "text").trim());
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "not a memory size: '" + text + "' (examples: 512M, 2G, 64K)");
    }
    int shift =
        switch (m.group(2).toUpperCase(Locale.ROOT)) {
          case "K" -> 10;
          case "M" -> 20;
          case "G" -> 30;
          case "T" -> 40;
          default -> 0;
        };
    try {
      return new MemorySize(Math.multiplyExact(Long.parseLong(m.group(1)), 1L << shift));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("memory size too large: '" + text + "'", e);
    }
  }

  @Override
  public int compareTo(MemorySize other) {
    return Long.compare(bytes, other.bytes);
  }

  /** The size in the largest binary unit that divides it, such as {@code 512M}. */
  @Override
  public String toString() {
    String units = "KMGT";
    for (int i = 4; i > 0; i--) {
      if (bytes != 0 && (bytes & ((1L << (10 * i)) - 1)) == 0) {
        return (bytes >>> (10 * i)) + units.substring(i - 1, i);
      }
    }
    return Long.toString(bytes);
  }
}
