package io.vmm4j.engine.memory;

/**
 * What occupies a range of guest physical addresses.
 *
 * @param owner for messages, such as {@code RAM} or {@code device memory bootrom/rom}
 * @param base guest physical address
 * @param length more than 0
 * @param offset into the machine's one segment, or -1 for a trapped window
 * @param writable whether stores reach the memory
 */
public record MemoryRange(String owner, long base, long length, long offset, boolean writable) {

  /** A window whose accesses are trapped. */
  public static MemoryRange window(String owner, long base, long length) {
    return new MemoryRange(owner, base, length, -1, false);
  }

  /** Whether there is memory. */
  public boolean isMemory() {
    return offset >= 0;
  }

  /** The first address behind it. */
  public long end() {
    return base + length;
  }

  boolean overlaps(MemoryRange other) {
    return base < other.end() && other.base < end();
  }

  @Override
  public String toString() {
    return "%s at 0x%x..0x%x".formatted(owner, base, end() - 1);
  }
}
