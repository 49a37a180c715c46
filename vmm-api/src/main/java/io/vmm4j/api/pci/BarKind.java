package io.vmm4j.api.pci;

/** What a base address register is for (PCI 3.0, 6.2.5.1). */
public enum BarKind {
  /** Ports. */
  IO(1, false),
  /** Memory below 4 GiB. */
  MEMORY_32(0, false),
  /** Memory anywhere: the register takes two places. */
  MEMORY_64(4, true),
  /** Memory below 4 GiB whose loads have no effect. */
  PREFETCHABLE_32(8, false),
  /** Memory anywhere whose loads have no effect. */
  PREFETCHABLE_64(0xC, true);

  private final int flags;
  private final boolean wide;

  BarKind(int flags, boolean wide) {
    this.flags = flags;
    this.wide = wide;
  }

  /** The low bits of the register. */
  int flags() {
    return flags;
  }

  /** Whether it takes two places. */
  boolean isWide() {
    return wide;
  }
}
