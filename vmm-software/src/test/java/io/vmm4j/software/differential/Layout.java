package io.vmm4j.software.differential;

/**
 * Where the pages of a case lie, in linear addresses below 2 GiB so that all addressing modes reach
 * them; native-processor.c has the same numbers. Nothing else is mapped for user code.
 *
 * <p>In an image of the pages they lie one behind the other: code, two of data, one of data that
 * can't be written, one beyond a gap, and the stack.
 */
final class Layout {
  static final int PAGE = 0x1000;

  /** A page that can be executed and read. */
  static final long CODE = 0x2000_0000L;

  /** Two pages that can be read and written. */
  static final long DATA = 0x2001_0000L;

  /** A page that can be read; behind it is none. */
  static final long READ_ONLY = DATA + 2 * PAGE;

  /** Where there is no page. */
  static final long ABSENT = READ_ONLY + PAGE;

  /** A page that can be read and written, behind the one that is absent. */
  static final long BEYOND = ABSENT + PAGE;

  /** A page that can be read and written, alone. */
  static final long STACK = 0x2002_0000L;

  static final long FS_BASE = DATA + 0x400;
  static final long GS_BASE = BEYOND + 0x400;

  /** The linear addresses of the pages of an image, in its order. */
  static final long[] PAGES = {CODE, DATA, DATA + PAGE, READ_ONLY, BEYOND, STACK};

  /** Bytes of an image. */
  static final int IMAGE_BYTES = PAGES.length * PAGE;

  /** User code in 64-bit mode: the selectors and descriptors of Linux, which LAR shows. */
  static final int USER_CS = 0x33;

  static final int USER_SS = 0x2B;

  private Layout() {}

  /** The linear address of an offset into an image. */
  static long address(int offset) {
    return PAGES[offset / PAGE] + offset % PAGE;
  }

  /** The offset into an image of an address that is in one of the pages, or -1. */
  static int offset(long address) {
    for (int i = 0; i < PAGES.length; i++) {
      if (address >= PAGES[i] && address < PAGES[i] + PAGE) {
        return i * PAGE + (int) (address - PAGES[i]);
      }
    }
    return -1;
  }
}
