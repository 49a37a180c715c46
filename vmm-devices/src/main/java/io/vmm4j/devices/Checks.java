package io.vmm4j.devices;

/** Range checks of configurations and saved states; each message names the component. */
public final class Checks {
  private Checks() {}

  /**
   * The value, if it lies in {@code [min, max]}.
   *
   * @throws IllegalArgumentException if not
   */
  public static int range(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s: %d is not one of %d to %d".formatted(name, value, min, max));
    }
    return value;
  }

  /**
   * The value, if it lies in {@code [min, max]}.
   *
   * @throws IllegalArgumentException if not
   */
  public static long range(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s: %d is not one of %d to %d".formatted(name, value, min, max));
    }
    return value;
  }

  /**
   * The value, if it is a byte, 0 to 255.
   *
   * @throws IllegalArgumentException if not
   */
  public static int unsignedByte(String name, int value) {
    return range(name, value, 0, 0xFF);
  }

  /**
   * The first of {@code count} ports, if all of them exist.
   *
   * @throws IllegalArgumentException if not
   */
  public static int port(String name, int first, int count) {
    if (first < 0 || first > 0x10000 - count) {
      throw new IllegalArgumentException(
          "%s: %#x is not one of 0x0 to %#x".formatted(name, first, 0x10000 - count));
    }
    return first;
  }

  /**
   * The array, if it has so many bytes.
   *
   * @throws IllegalArgumentException if not
   */
  public static byte[] length(String name, byte[] bytes, int length) {
    if (bytes.length != length) {
      throw new IllegalArgumentException(
          "%s: %d bytes where %d belong".formatted(name, bytes.length, length));
    }
    return bytes;
  }
}
