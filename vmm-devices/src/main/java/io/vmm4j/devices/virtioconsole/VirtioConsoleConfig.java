package io.vmm4j.devices.virtioconsole;

import io.vmm4j.api.device.DeviceConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A console, which is {@code /dev/hvc0} for Linux, and further ports.
 *
 * @param ports the names of the further ports, up to 16
 */
public record VirtioConsoleConfig(List<String> ports) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-console";

  /** Without further ports. */
  public static final VirtioConsoleConfig DEFAULT = new VirtioConsoleConfig(List.of());

  private static final int MOST_PORTS = 16;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");

  /** Checks the names. */
  public VirtioConsoleConfig {
    ports = List.copyOf(ports);
    if (ports.size() > MOST_PORTS) {
      throw new IllegalArgumentException(
          "ports: %d are more than %d".formatted(ports.size(), MOST_PORTS));
    }
    Set<String> seen = new HashSet<>();
    for (String port : ports) {
      if (!NAME.matcher(port).matches()) {
        throw new IllegalArgumentException(
            "ports: '%s' is not 1 to 63 letters, digits, '.', '_' and '-'".formatted(port));
      }
      if (!seen.add(port)) {
        throw new IllegalArgumentException("ports: '%s' is there twice".formatted(port));
      }
    }
  }

  /** With further ports. */
  public static VirtioConsoleConfig withPorts(String... names) {
    return new VirtioConsoleConfig(List.of(names));
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}
