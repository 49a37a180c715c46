package io.vmm4j.software.cpu;

/**
 * Which entries of a table of translations are in use, those of global pages apart from the others,
 * so that a flush looks at nothing else.
 */
public final class FillLog {
  private static final byte GLOBAL = 1;
  private static final byte OTHER = 2;

  private final byte[] listed;
  private final int[] globals;
  private final int[] others;
  private int globalCount;
  private int otherCount;

  /** The log of a table with a number of entries. */
  public FillLog(int entries) {
    listed = new byte[entries];
    globals = new int[entries];
    others = new int[entries];
  }

  /** An entry is used from now on. */
  public void filled(int entry, boolean global) {
    if (global) {
      if ((listed[entry] & GLOBAL) == 0) {
        listed[entry] |= GLOBAL;
        globals[globalCount++] = entry;
      }
    } else if ((listed[entry] & OTHER) == 0) {
      listed[entry] |= OTHER;
      others[otherCount++] = entry;
    }
  }

  /** Takes an entry that is or was used by a page that is not global from the log, or -1. */
  public int takeOther() {
    if (otherCount == 0) {
      return -1;
    }
    int entry = others[--otherCount];
    listed[entry] &= ~OTHER;
    return entry;
  }

  /** Takes any entry from the log, or -1. */
  public int take() {
    if (globalCount == 0) {
      return takeOther();
    }
    int entry = globals[--globalCount];
    listed[entry] &= ~GLOBAL;
    return entry;
  }

  /** How many places {@link #at} has; an entry may be at two of them. */
  public int size() {
    return globalCount + otherCount;
  }

  /** How many of the first places have entries that are or were used by a global page. */
  public int globals() {
    return globalCount;
  }

  /** An entry in the log. */
  public int at(int place) {
    return place < globalCount ? globals[place] : others[place - globalCount];
  }
}
