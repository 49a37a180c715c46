package io.vmm4j.engine.memory;

/**
 * What occupies a range of guest physical addresses.
 *
 * @param owner for messages, such as {@code RAM} or {@code device memory bootrom/rom}
 * @param base guest physical address
 * @param length more than 0
 * @param offset into the machine's one segment, or -1 for a trapped window
 * @param writable whether stores reach the memory
 * @param precedence who answers where ranges overlap; each range of a map has another
 */
public record MemoryRange(
    String owner, long base, long length, long offset, boolean writable, Precedence precedence) {

  /** A window whose accesses are trapped. */
  public static MemoryRange window(String owner, long base, long length, Precedence precedence) {
    return new MemoryRange(owner, base, length, -1, false, precedence);
  }

  /** RAM: it answers before anything else. */
  public static MemoryRange ram(long base, long length, long offset) {
    return ram(Precedence.Kind.RAM, base, length, offset);
  }

  /** RAM that gives way to whatever is mapped over it. */
  public static MemoryRange shadowRam(long base, long length, long offset) {
    return ram(Precedence.Kind.SHADOW, base, length, offset);
  }

  private static MemoryRange ram(Precedence.Kind kind, long base, long length, long offset) {
    String name = "0x%016x".formatted(base);
    return new MemoryRange("RAM", base, length, offset, true, new Precedence(kind, 0, 0, name));
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
