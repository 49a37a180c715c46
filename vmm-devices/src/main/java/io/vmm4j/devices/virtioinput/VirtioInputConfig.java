package io.vmm4j.devices.virtioinput;

import io.vmm4j.api.device.DeviceConfig;

/**
 * An input device.
 *
 * @param kind what it is
 */
public record VirtioInputConfig(Kind kind) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-input";

  /** What there is. */
  public enum Kind {
    /** A {@link io.vmm4j.api.input.Keyboard}. */
    KEYBOARD,
    /** A {@link io.vmm4j.api.input.Tablet}. */
    TABLET
  }

  /** A keyboard. */
  public static final VirtioInputConfig KEYBOARD = new VirtioInputConfig(Kind.KEYBOARD);

  /** A tablet. */
  public static final VirtioInputConfig TABLET = new VirtioInputConfig(Kind.TABLET);

  @Override
  public String deviceType() {
    return TYPE;
  }
}
