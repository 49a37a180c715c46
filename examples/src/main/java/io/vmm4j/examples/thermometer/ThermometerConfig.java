package io.vmm4j.examples.thermometer;

import io.vmm4j.api.device.DeviceConfig;

/**
 * The options of a thermometer. The components are the keys of {@code --device thermometer,…} too,
 * and stand in the snapshot.
 *
 * @param port the first of its 3 ports
 * @param irq its interrupt line, 0 to 15
 * @param celsius the temperature at power-on, 0 to 99 degrees
 * @param millisPerDegree the guest time in which it gets a degree warmer, from 1
 */
public record ThermometerConfig(int port, int irq, int celsius, int millisPerDegree)
    implements DeviceConfig {
  static final String TYPE = "thermometer";

  /** Every field of a configuration has a default. */
  static final ThermometerConfig DEFAULT = new ThermometerConfig(0x510, 5, 21, 1000);

  /** Checks ranges: what is refused here is reported with the device's path. */
  public ThermometerConfig {
    check("port", port, 0, 0xFFFD);
    check("irq", irq, 0, 15);
    check("celsius", celsius, 0, 99);
    check("millisPerDegree", millisPerDegree, 1, 3_600_000);
  }

  static void check(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s: %d is not one of %d to %d".formatted(name, value, min, max));
    }
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}
