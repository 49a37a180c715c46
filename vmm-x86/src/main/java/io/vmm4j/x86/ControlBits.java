package io.vmm4j.x86;

/**
 * Bits of CR0, CR4 and IA32_EFER, and what registers hold after power-on (Intel SDM volume 3, 2.5).
 */
public final class ControlBits {
  /** Protected mode. */
  public static final long CR0_PE = 1;

  /** WAIT heeds TS. */
  public static final long CR0_MP = 1 << 1;

  /** No x87. */
  public static final long CR0_EM = 1 << 2;

  /** A task switch happened since the x87 was used. */
  public static final long CR0_TS = 1 << 3;

  /** Always set. */
  public static final long CR0_ET = 1 << 4;

  /** x87 errors are #MF. */
  public static final long CR0_NE = 1 << 5;

  /** Ring 0 heeds read-only pages. */
  public static final long CR0_WP = 1 << 16;

  /** EFLAGS.AC checks alignment. */
  public static final long CR0_AM = 1 << 18;

  /** Not write-through. */
  public static final long CR0_NW = 1 << 29;

  /** Caches off. */
  public static final long CR0_CD = 1 << 30;

  /** Paging. */
  public static final long CR0_PG = 1L << 31;

  /** RDTSC in ring 0 only. */
  public static final long CR4_TSD = 1 << 2;

  /** DR4 and DR5 do not exist; breakpoints on ports. */
  public static final long CR4_DE = 1 << 3;

  /** Pages of 4 MiB. */
  public static final long CR4_PSE = 1 << 4;

  /** Page table entries of 64 bits. */
  public static final long CR4_PAE = 1 << 5;

  /** Global pages. */
  public static final long CR4_PGE = 1 << 7;

  /** RDPMC in every ring. */
  public static final long CR4_PCE = 1 << 8;

  /** FXSAVE and SSE. */
  public static final long CR4_OSFXSR = 1 << 9;

  /** SIMD errors are #XM. */
  public static final long CR4_OSXMMEXCPT = 1 << 10;

  /** SGDT and its family in ring 0 only. */
  public static final long CR4_UMIP = 1 << 11;

  /** RDFSBASE and its family. */
  public static final long CR4_FSGSBASE = 1 << 16;

  /** Process-context identifiers. */
  public static final long CR4_PCIDE = 1 << 17;

  /** XSAVE. */
  public static final long CR4_OSXSAVE = 1 << 18;

  /** Ring 0 executes no user pages. */
  public static final long CR4_SMEP = 1 << 20;

  /** Ring 0 accesses no user pages. */
  public static final long CR4_SMAP = 1 << 21;

  /** Protection keys of user pages. */
  public static final long CR4_PKE = 1 << 22;

  /** Protection keys of supervisor pages. */
  public static final long CR4_PKS = 1 << 24;

  /** SYSCALL. */
  public static final long EFER_SCE = 1;

  /** Long mode with the next paging. */
  public static final long EFER_LME = 1 << 8;

  /** Long mode. */
  public static final long EFER_LMA = 1 << 10;

  /** Pages that are not executed. */
  public static final long EFER_NXE = 1 << 11;

  /** CR0 after power-on (Intel SDM volume 3, table 10-1). */
  public static final long CR0_RESET = CR0_CD | CR0_NW | CR0_ET;

  /** DR6 after power-on. */
  public static final long DR6_RESET = 0xFFFF_0FF0L;

  /** DR7 after power-on. */
  public static final long DR7_RESET = 0x400;

  private ControlBits() {}
}
