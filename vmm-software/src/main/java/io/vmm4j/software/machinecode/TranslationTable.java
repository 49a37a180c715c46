package io.vmm4j.software.machinecode;

import java.util.ArrayList;
import java.util.List;

/**
 * The translations there are, by number. Changed by one thread at a time; {@link #get} may be
 * called by any thread that has come out of the code of a translation.
 */
final class TranslationTable {
  private static final int FIRST_CAPACITY = 1024;

  private final List<Translation> all = new ArrayList<>();
  private volatile Translation[] byNumber = new Translation[FIRST_CAPACITY];

  /** How many there are: the number of the next one. */
  int size() {
    return all.size();
  }

  Translation get(int number) {
    return byNumber[number];
  }

  void add(Translation t) {
    if (all.size() == byNumber.length) {
      Translation[] longer = new Translation[2 * all.size()];
      System.arraycopy(byNumber, 0, longer, 0, all.size());
      byNumber = longer;
    }
    byNumber[all.size()] = t;
    all.add(t);
  }

  /** Forgets all, of which no thread executes any. */
  void clear() {
    all.clear();
    byNumber = new Translation[FIRST_CAPACITY];
  }

  /** All of them, in order. */
  List<Translation> all() {
    return all;
  }
}
