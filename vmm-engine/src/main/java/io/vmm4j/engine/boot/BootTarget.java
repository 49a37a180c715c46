package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.memory.RamLayout;

/**
 * What a loader fills: a machine's memory, while no vCPU runs.
 *
 * @param memory guest memory
 * @param ram where RAM lies in it
 * @param rsdpAddress where the ACPI RSDP lies, or 0 if there are no tables
 */
public record BootTarget(GuestMemory memory, BiosMemoryMap ram, long rsdpAddress) {
  private static final long PAGE = 0x1000;

  /**
   * Copies an image's bytes to a place that the image itself names.
   *
   * @param what the part of the image, for the error
   * @throws BootException if the place is not RAM
   */
  void load(ImageBytes image, String what, long offset, long address, long length) {
    requireRam(image, what, address, length);
    byte[] buffer = new byte[(int) Math.min(length, 1 << 20)];
    for (long done = 0; done < length; ) {
      int step = (int) Math.min(buffer.length, length - done);
      image.read(what, offset + done, buffer, step);
      memory.write(address + done, buffer, 0, step);
      done += step;
    }
  }

  /** Fills a place that was checked with zeros. */
  void clear(long address, long length) {
    byte[] zeros = new byte[(int) Math.min(length, 1 << 16)];
    for (long done = 0; done < length; ) {
      int step = (int) Math.min(zeros.length, length - done);
      memory.write(address + done, zeros, 0, step);
      done += step;
    }
  }

  /**
   * Checks a range that an image names.
   *
   * @throws BootException if it is not RAM; it says how much memory would do, where more would
   */
  void requireRam(ImageBytes image, String what, long address, long length) {
    if (ram.contains(address, length)) {
      return;
    }
    long end = address + length;
    boolean moreWouldDo = address >= 0 && length >= 0 && end > 0 && end <= RamLayout.LOW_END;
    throw new BootException(
        "%s: %s needs 0x%x byte(s) at guest physical address 0x%x, which is not RAM; %s"
            .formatted(
                image.name(),
                what,
                length,
                address,
                moreWouldDo
                    ? "%d MiB of memory would do, the machine has %d MiB"
                        .formatted((end + 0xF_FFFF) >> 20, ram.ramBytes() >> 20)
                    : "no amount of memory would do, for RAM lies below 3 GiB and above 4 GiB"));
  }

  /**
   * Checks that an image leaves alone what loaders write themselves.
   *
   * @throws BootException if it does not
   */
  void requireFree(ImageBytes image, String what, long address, long length) {
    requireRam(image, "the boot information", BootArea.BASE, BootArea.END - BootArea.BASE);
    boolean overlapsBootArea = address < BootArea.END && address + length > BootArea.BASE;
    boolean overlapsTables =
        rsdpAddress != 0
            && address < RamLayout.EXTENDED
            && address + length > BiosMemoryMap.FIRMWARE_BASE;
    if (overlapsBootArea || overlapsTables) {
      throw image.fault(
          "%s is to be loaded at guest physical address 0x%x, where the boot information lies"
              + " (0x%x to 0x%x)",
          what,
          address,
          overlapsBootArea ? BootArea.BASE : BiosMemoryMap.FIRMWARE_BASE,
          overlapsBootArea ? BootArea.END : RamLayout.EXTENDED);
    }
  }

  /**
   * Copies a module to the highest place where it fits, on a page boundary, with nothing but other
   * modules between it and the end of the lower RAM.
   *
   * @param from the lowest address it may have
   * @param below the end of the place
   * @return its address
   * @throws BootException if it fits nowhere
   */
  long loadHigh(ImageBytes file, String what, long from, long below) {
    long taken = Math.max(0, ram.lowBytes() - below);
    long address = placeHigh(file.name(), what, file.size(), from, RamLayout.LOW_END, taken);
    load(file, what, 0, address, file.size());
    return address;
  }

  /**
   * Finds the highest place for so many bytes, on a page boundary.
   *
   * @param name of the file, for the error
   * @param from the lowest address they may have
   * @param limit the end of where they may lie, however much memory there is
   * @param taken how much is taken below that end, or below the end of the lower RAM
   * @throws BootException if they fit nowhere; it says how much memory would do, where more would
   */
  long placeHigh(String name, String what, long bytes, long from, long limit, long taken) {
    long most = Math.min(limit, RamLayout.LOW_END);
    long top = Math.min(most, ram.lowBytes()) - taken;
    long address = (top - bytes) & -PAGE;
    if (bytes <= top && address >= from) {
      return address;
    }
    long needed = ((from + PAGE - 1) & -PAGE) + bytes + taken;
    throw new BootException(
        "%s: %s of %d bytes does not fit between the kernel's end at 0x%x and 0x%x; %s"
            .formatted(name, what, bytes, from, top, remedy(needed, limit)));
  }

  private String remedy(long needed, long limit) {
    if (needed <= Math.min(limit, RamLayout.LOW_END)) {
      return "%d MiB of memory would do, the machine has %d MiB"
          .formatted((needed + 0xF_FFFF) >> 20, ram.ramBytes() >> 20);
    }
    return "no amount of memory would do, for "
        + (limit < RamLayout.LOW_END
            ? "the kernel takes it only below 0x%x".formatted(limit)
            : "it has to lie in the RAM below 3 GiB");
  }
}
