package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.memory.RamLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

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
   * Writes a command line, ended by a zero, where guests are told to find it.
   *
   * @param maximumBytes what the kernel takes, without the zero
   * @throws BootException if it is longer
   */
  void writeCommandLine(ImageBytes image, String commandLine, long maximumBytes) {
    byte[] text = commandLine.getBytes(StandardCharsets.UTF_8);
    long limit = Math.min(maximumBytes, BootArea.COMMAND_LINE_BYTES - 1);
    if (text.length > limit) {
      throw image.fault(
          "the command line has %d bytes; this kernel takes at most %d", text.length, limit);
    }
    memory.write(BootArea.COMMAND_LINE, Arrays.copyOf(text, text.length + 1));
  }

  /**
   * Copies an initial RAM disk or a module to the highest place where it fits, on a page boundary.
   *
   * @param from the lowest address it may have
   * @param below the end of the place
   * @return its address
   * @throws BootException if it fits nowhere
   */
  long loadHigh(ImageBytes file, String what, long from, long below) {
    long top = Math.min(below, ram.lowBytes());
    long address = (top - file.size()) & -PAGE;
    if (file.size() > top || address < from) {
      throw new BootException(
          "%s: %s of %d bytes does not fit between the kernel's end at 0x%x and 0x%x;"
                  .formatted(file.name(), what, file.size(), from, top)
              + " %d MiB of memory would do, the machine has %d MiB"
                  .formatted((from + file.size() + PAGE + 0xF_FFFF) >> 20, ram.ramBytes() >> 20));
    }
    load(file, what, 0, address, file.size());
    return address;
  }
}
