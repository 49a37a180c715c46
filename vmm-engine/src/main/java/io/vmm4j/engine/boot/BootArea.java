package io.vmm4j.engine.boot;

/**
 * The low guest memory that loaders use for what they tell a guest. Images may not be loaded here.
 */
final class BootArea {
  /** Where it begins: above the BIOS data area. */
  static final long BASE = 0x500;

  /** Where it ends. */
  static final long END = 0x3_0000;

  /** The global descriptor table. */
  static final long GDT = 0x500;

  /** A task state segment of 104 bytes. */
  static final long TSS = 0x580;

  /** Multiboot information, or the PVH start info. */
  static final long INFORMATION = 0x6000;

  /** Linux boot_params, 4 KiB. */
  static final long BOOT_PARAMS = 0x7000;

  /** Page tables: a PML4, a page directory pointer table and four page directories. */
  static final long PAGE_TABLES = 0x9000;

  /** The command line. */
  static final long COMMAND_LINE = 0x2_0000;

  /** The room for the command line with its zero. */
  static final int COMMAND_LINE_BYTES = 0x1_0000;

  private BootArea() {}
}
