package io.vmm4j.engine.boot;

import io.vmm4j.api.memory.GuestMemory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The texts that a kernel is told: command lines, its own first, then those of its modules. */
final class BootStrings {
  private final GuestMemory memory;
  private final long end;
  private long next;

  /** Texts at their usual place. */
  BootStrings(GuestMemory memory) {
    this(memory, BootArea.COMMAND_LINE, BootArea.COMMAND_LINE_BYTES);
  }

  /** Texts in a range of memory. */
  BootStrings(GuestMemory memory, long from, long bytes) {
    this.memory = memory;
    this.next = from;
    this.end = from + bytes;
  }

  /**
   * Writes a text in UTF-8 and a zero behind it.
   *
   * @param image what it is for, for the error
   * @param maximumBytes the most that the guest takes, without the zero
   * @return its address
   * @throws io.vmm4j.api.BootException if it is longer, has a zero in it, or there is no room left
   */
  long write(ImageBytes image, String text, long maximumBytes) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (text.indexOf('\0') >= 0) {
      throw image.fault("the command line has a NUL at character %d", text.indexOf('\0') + 1);
    }
    long limit = Math.min(maximumBytes, end - next - 1);
    if (bytes.length > limit) {
      throw image.fault(
          "the command line has %d bytes; this kernel takes at most %d", bytes.length, limit);
    }
    long address = next;
    memory.write(address, Arrays.copyOf(bytes, bytes.length + 1));
    next += bytes.length + 1;
    return address;
  }

  /** As long as there is room for. */
  long write(ImageBytes image, String text) {
    return write(image, text, Long.MAX_VALUE);
  }
}
