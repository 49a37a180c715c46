package io.vmm4j.api.pci;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The place of a function: bus, device and function number, as the last part of its path says it:
 * {@code 00:03.0}.
 *
 * @param bus 0 to 255
 * @param device 0 to 31
 * @param function 0 to 7
 */
public record PciAddress(int bus, int device, int function) {
  private static final Pattern FORM =
      Pattern.compile("(?:.*/)?(\\p{XDigit}{2}):(\\p{XDigit}{2})\\.([0-7])");

  /** Checks ranges. */
  public PciAddress {
    if (bus < 0 || bus > 0xFF || device < 0 || device > 31 || function < 0 || function > 7) {
      throw new IllegalArgumentException("no PCI function " + text(bus, device, function));
    }
  }

  /** The address that a device's path ends with, if it does. */
  public static Optional<PciAddress> ofPath(String path) {
    Matcher form = FORM.matcher(path);
    if (!form.matches()) {
      return Optional.empty();
    }
    int device = Integer.parseInt(form.group(2), 16);
    return device > 31
        ? Optional.empty()
        : Optional.of(
            new PciAddress(
                Integer.parseInt(form.group(1), 16), device, Integer.parseInt(form.group(3))));
  }

  private static String text(int bus, int device, int function) {
    return "%02x:%02x.%x".formatted(bus, device, function);
  }

  @Override
  public String toString() {
    return text(bus, device, function);
  }
}
