package io.vmm4j.engine.boot;

/**
 * The guest memory that loaders use for what they tell a guest: the end of conventional memory, for
 * small kernels lie lower and others above 1 MiB. Images may not be loaded here.
 */
final class BootArea {
  /** Where it begins. */
  static final long BASE = 0x8_0000;

  /** Where it ends. */
  static final long END = BiosMemoryMap.CONVENTIONAL_END;

  /** The global descriptor table. */
  static final long GDT = 0x8_0000;

  /** A task state segment of 104 bytes. */
  static final long TSS = 0x8_0080;

  /** Code that runs before the kernel. */
  static final long ENTRY_CODE = 0x8_0100;

  /** Multiboot information, or the PVH start info. */
  static final long INFORMATION = 0x8_1000;

  /** Linux boot_params, 4 KiB. */
  static final long BOOT_PARAMS = 0x8_2000;

  /** Page tables: a PML4, a page directory pointer table and four page directories. */
  static final long PAGE_TABLES = 0x8_4000;

  /** The command line. */
  static final long COMMAND_LINE = 0x9_0000;

  /** The room for the command line with its zero. */
  static final int COMMAND_LINE_BYTES = 0xF000;

  private BootArea() {}
}
