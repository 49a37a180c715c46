package io.vmm4j.x86;

import java.util.Arrays;

/**
 * The memory type range registers (Intel SDM volume 3, 11.11): kept and checked, without effect, as
 * memory here has one type.
 */
final class Mtrrs {
  /** 8 variable ranges, fixed ranges, write-combining. */
  static final long CAPABILITIES = 0x508;

  /** Enabled, write-back by default: as firmware leaves it, which Linux expects to find. */
  private static final long POWER_ON_DEFAULT_TYPE = 0x806;

  /** The range of indices in which they all lie, among others. */
  static final int FIRST = 0x200;

  static final int LAST = 0x2FF;

  private static final int VARIABLE_FIRST = FIRST;
  private static final int VARIABLE_COUNT = 16;
  private static final int DEFAULT_TYPE = LAST;
  private static final int[] FIXED = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26A, 0x26B, 0x26C, 0x26D, 0x26E, 0x26F
  };

  private final long[] variable = new long[VARIABLE_COUNT];
  private final long[] fixed = new long[FIXED.length];
  private long defaultType;

  void powerOn() {
    Arrays.fill(variable, 0);
    Arrays.fill(fixed, 0);
    defaultType = POWER_ON_DEFAULT_TYPE;
  }

  /** Whether an MSR is one of these. */
  static boolean contains(int index) {
    return index >= VARIABLE_FIRST && index < VARIABLE_FIRST + VARIABLE_COUNT
        || index == DEFAULT_TYPE
        || Arrays.binarySearch(FIXED, index) >= 0;
  }

  long read(int index) {
    if (index == DEFAULT_TYPE) {
      return defaultType;
    }
    int slot = Arrays.binarySearch(FIXED, index);
    return slot >= 0 ? fixed[slot] : variable[index - VARIABLE_FIRST];
  }

  /** Whether the value was taken; if not it is #GP. */
  boolean write(int index, long value, int physicalBits) {
    if (index == DEFAULT_TYPE) {
      if ((value & ~0xCFFL) != 0 || !isType((int) value & 0xFF)) {
        return false;
      }
      defaultType = value;
      return true;
    }
    int slot = Arrays.binarySearch(FIXED, index);
    if (slot >= 0) {
      for (int i = 0; i < 64; i += 8) {
        if (!isType((int) (value >>> i) & 0xFF)) {
          return false;
        }
      }
      fixed[slot] = value;
      return true;
    }
    boolean mask = (index & 1) != 0;
    long reserved = -1L << physicalBits | (mask ? 0x7FF : 0xF00);
    if ((value & reserved) != 0 || !mask && !isType((int) value & 0xFF)) {
      return false;
    }
    variable[index - VARIABLE_FIRST] = value;
    return true;
  }

  private static boolean isType(int type) {
    return type == 0 || type == 1 || type >= 4 && type <= 6;
  }
}
