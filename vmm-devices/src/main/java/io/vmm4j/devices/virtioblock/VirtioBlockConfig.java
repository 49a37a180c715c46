package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;
import io.vmm4j.devices.block.DiskFormat;

/**
 * A disk.
 *
 * @param file the path of the file that holds its contents, in whole sectors of 512 bytes
 * @param mode what becomes of writes
 * @param serial the serial number, at most 20 ASCII characters; may be empty
 * @param queues how many request queues there are, each with a thread of its own: 1 to 16
 * @param overlayBytes how much of the disk the guest may write to at most where writes go to an
 *     overlay: 4 KiB to 64 GiB, or 0 for all of a disk of up to 64 GiB
 * @param format how the file holds the contents
 */
public record VirtioBlockConfig(
    String file, DiskMode mode, String serial, int queues, long overlayBytes, DiskFormat format)
    implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-blk";

  /** The most that an overlay has room for. */
  public static final long MOST_OVERLAY_BYTES = 64L << 30;

  /** No file: a machine with it can't be started. */
  public static final VirtioBlockConfig DEFAULT =
      new VirtioBlockConfig("", DiskMode.OVERLAY, "", 1, 0, DiskFormat.AUTO);

  private static final int SERIAL_CHARACTERS = 20;

  /** Checks ranges. */
  public VirtioBlockConfig {
    Checks.range("queues", queues, 1, 16);
    if (overlayBytes != 0) {
      Checks.range("overlayBytes", overlayBytes, 4096, MOST_OVERLAY_BYTES);
    }
    Checks.range("characters of serial", serial.length(), 0, SERIAL_CHARACTERS);
    if (!serial.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException("serial: '%s' is not ASCII".formatted(serial));
    }
  }

  /** A file whose disk is written to the machine's overlay. */
  public VirtioBlockConfig(String file) {
    this(file, DiskMode.OVERLAY, "", 1);
  }

  /** The same with room for the whole disk in the overlay. */
  public VirtioBlockConfig(String file, DiskMode mode, String serial, int queues) {
    this(file, mode, serial, queues, DEFAULT.overlayBytes(), DEFAULT.format());
  }

  /** The same disk in another file. */
  public VirtioBlockConfig withFile(String other) {
    return new VirtioBlockConfig(other, mode, serial, queues, overlayBytes, format);
  }

  /** The same disk in a file of a format. */
  public VirtioBlockConfig withFormat(DiskFormat other) {
    return new VirtioBlockConfig(file, mode, serial, queues, overlayBytes, other);
  }

  /** Returns the same disk with room for so many bytes in its overlay. */
  public VirtioBlockConfig withOverlayBytes(long bytes) {
    return new VirtioBlockConfig(file, mode, serial, queues, bytes, format);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}
