package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * A device for virtio sockets.
 *
 * @param guestCid the guest's context identifier, 3 to 4294967294
 */
public record VirtioVsockConfig(long guestCid) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-vsock";

  /** The guest has the first identifier that is not taken. */
  public static final VirtioVsockConfig DEFAULT = new VirtioVsockConfig(3);

  private static final long FIRST = 3;
  private static final long LAST = 0xFFFF_FFFEL;

  /** Checks ranges. */
  public VirtioVsockConfig {
    Checks.range("guestCid", guestCid, FIRST, LAST);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}
