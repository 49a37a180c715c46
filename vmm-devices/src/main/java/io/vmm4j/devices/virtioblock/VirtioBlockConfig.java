package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * A disk.
 *
 * @param file the path of the file that holds its contents, in whole sectors of 512 bytes
 * @param mode what becomes of writes
 * @param serial the serial number, at most 20 ASCII characters; may be empty
 * @param queues how many request queues there are, each with a thread of its own: 1 to 16
 */
public record VirtioBlockConfig(String file, DiskMode mode, String serial, int queues)
    implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-blk";

  /** No file: a machine with it can't be started. */
  public static final VirtioBlockConfig DEFAULT =
      new VirtioBlockConfig("", DiskMode.OVERLAY, "", 1);

  private static final int SERIAL_CHARACTERS = 20;

  /** Checks ranges. */
  public VirtioBlockConfig {
    Checks.range("queues", queues, 1, 16);
    Checks.range("characters of serial", serial.length(), 0, SERIAL_CHARACTERS);
    if (!serial.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException("serial: '%s' is not ASCII".formatted(serial));
    }
  }

  /** A file whose disk is written to the machine's overlay. */
  public VirtioBlockConfig(String file) {
    this(file, DiskMode.OVERLAY, "", 1);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}
