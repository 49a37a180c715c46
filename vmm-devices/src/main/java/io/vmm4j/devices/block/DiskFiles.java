package io.vmm4j.devices.block;

import io.vmm4j.devices.block.qcow.QcowImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Opens disks' files by their format. A format that is not said is found by the first bytes, and
 * these a guest may have written when the file was its raw disk. So what is found in this way may
 * name no other file: only who says qcow2 has backing files followed.
 */
public final class DiskFiles {
  private static final byte[] QCOW_MAGIC = {'Q', 'F', 'I', (byte) 0xFB};

  private DiskFiles() {}

  /**
   * Opens a file.
   *
   * @param writable whether it is written, which only a raw file can be
   * @throws DiskImageException if it is not of the format, or can't be used so
   * @throws IOException if it can't be read
   */
  public static BlockStorage open(Path path, DiskFormat format, boolean writable)
      throws IOException {
    if (format == DiskFormat.QCOW2 && writable) {
      throw new DiskImageException(
          path, "a qcow2 image can't be written to; use the mode overlay, and export the disk");
    }
    RawFile file = RawFile.open(path, writable);
    try {
      if (format == DiskFormat.RAW || format == DiskFormat.AUTO && !isQcow(file)) {
        return file;
      }
      if (writable) {
        throw new DiskImageException(
            path,
            "it begins as a qcow2 image, which can't be written to; if it is a raw disk, say"
                + " format=raw");
      }
      return format == DiskFormat.QCOW2
          ? QcowImage.withBacking(path, file)
          : QcowImage.alone(path, file);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static boolean isQcow(RawFile file) throws IOException {
    byte[] magic = new byte[QCOW_MAGIC.length];
    if (file.sizeBytes() >= magic.length) {
      file.read(0, MemorySegment.ofArray(magic));
    }
    return Arrays.equals(magic, QCOW_MAGIC);
  }
}
