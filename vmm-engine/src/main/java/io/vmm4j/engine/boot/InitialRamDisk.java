package io.vmm4j.engine.boot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a kernel's initial RAM disk lies: files one after the other, each on a multiple of 4 bytes
 * (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * @param address 0 if there is none
 * @param bytes its length, 0 if there is none
 */
record InitialRamDisk(long address, long bytes) {
  private static final long ALIGNMENT = 4;

  /**
   * Loads files at the highest place where they fit.
   *
   * @param from the lowest address they may have
   * @param below the end of the place
   * @throws io.vmm4j.api.BootException if a file can't be read, or they don't fit
   */
  static InitialRamDisk load(BootTarget target, List<Path> files, long from, long below) {
    if (files.isEmpty()) {
      return new InitialRamDisk(0, 0);
    }
    List<ImageBytes> images = new ArrayList<>();
    try {
      long bytes = 0;
      for (Path file : files) {
        ImageBytes image = ImageBytes.open(file);
        images.add(image);
        bytes = aligned(bytes) + image.size();
      }
      String what = "the initial RAM disk";
      long address = target.placeHigh(images.getFirst().name(), what, bytes, from, below, 0);
      long at = 0;
      for (ImageBytes image : images) {
        target.clear(address + at, aligned(at) - at);
        at = aligned(at);
        target.load(image, what, 0, address + at, image.size());
        at += image.size();
      }
      return new InitialRamDisk(address, bytes);
    } finally {
      images.forEach(ImageBytes::close);
    }
  }

  private static long aligned(long offset) {
    return (offset + ALIGNMENT - 1) & -ALIGNMENT;
  }
}
