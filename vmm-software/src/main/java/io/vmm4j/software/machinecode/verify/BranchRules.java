package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.PAGE_BYTES;
import static io.vmm4j.software.machinecode.verify.Refused.require;

/** What is known behind a conditional jump, and what has to be known where code is left. */
final class BranchRules {
  // Conditions (volume 1, appendix B).
  private static final int BELOW = 2;
  private static final int EQUAL = 4;
  private static final int NOT_EQUAL = 5;
  private static final int BELOW_OR_EQUAL = 6;
  private static final int ABOVE = 7;
  private static final int SIGN = 8;
  private static final int NO_SIGN = 9;

  private BranchRules() {}

  /** Takes what a conditional jump says on one of its ways. */
  static void refine(PathState s, int jumpCondition, boolean taken) {
    int condition = taken ? jumpCondition : jumpCondition ^ 1;
    switch (s.flags) {
      case PathState.FLAGS_COMPARE -> compared(s, condition);
      case PathState.FLAGS_BITS -> {
        long alignment = s.flagsValue + 1;
        if (condition == EQUAL
            && alignment > 0
            && alignment <= PAGE_BYTES
            && (alignment & alignment - 1) == 0) {
          s.aligned((int) alignment);
        }
      }
      case PathState.FLAGS_ZERO -> {
        if (condition == NOT_EQUAL) {
          s.address = PathState.CODE_OFFSET;
        } else if (condition == EQUAL) {
          s.address = PathState.ANY;
        }
      }
      case PathState.FLAGS_HIGH -> s.below = condition == BELOW ? s.flagsSize : s.below;
      case PathState.FLAGS_SIGN -> s.extended = condition == EQUAL ? s.flagsSize : s.extended;
      case PathState.FLAGS_BUDGET -> {
        if (condition == SIGN || condition == NO_SIGN) {
          s.budget = condition == SIGN ? PathState.EXHAUSTED : PathState.REACHED;
          s.flags = PathState.FLAGS_ANY;
        }
      }
      case PathState.FLAGS_COUNT -> {
        if (condition == BELOW_OR_EQUAL && s.flagsValue >= 0) {
          s.countMost = s.flagsValue;
        }
      }
      default -> {}
    }
  }

  private static void compared(PathState s, int condition) {
    long value = s.flagsValue;
    if (s.is(PathState.PLUS_ONE)) {
      int size = PathState.bytes(s.address);
      if (condition == ABOVE && value == 1 && size == s.flagsSize) {
        s.ordinary = size;
      }
      return;
    }
    long most = condition == BELOW_OR_EQUAL ? value : condition == BELOW ? value - 1 : -1;
    if (most < 0 || most > PAGE_BYTES || value < 0 || s.flagsSize != 8) {
      return;
    }
    if (s.is(PathState.END_OFFSET) && s.keptAddress >= 0) {
      int host = s.kept[s.keptAddress];
      s.kept[s.keptAddress] =
          PathState.value(
              PathState.COUNTED, PathState.isWritable(host), PathState.bytes(s.address));
      return;
    }
    if (most == PAGE_BYTES) {
      return;
    }
    int flags = s.flags;
    if (s.is(PathState.TAGGED)) {
      s.step(PathState.OFFSET, PathState.isWritable(s.address), PAGE_BYTES - (int) most);
    } else if (s.is(PathState.PAGE_TAGGED)) {
      s.step(PathState.PAGE_OFFSET, false, 0);
    }
    s.flags = flags;
  }

  /** A jump to what R15 says. */
  static void indirect(HostInstruction in, PathState s) {
    require(
        in.rmIs(ADDRESS) && s.is(PathState.CODE), "R15 is not the address of code from a table");
    require(s.moved, "the page of the code in R15 has not become the present one");
    sameMode(s);
    leaves(s);
  }

  /** Code is left for other code. */
  static void leaves(PathState s) {
    require(s.budget == PathState.REACHED, "the block's instructions are not paid yet");
    plain(s);
  }

  /** The registers that the guest's are in have them. */
  static void plain(PathState s) {
    require(!s.pushed, "PUSH and POP of a page are not a pair");
    require(
        !PathState.isSecret(s.source) && !PathState.isSecret(s.destination),
        "RSI or RDI is a value of the host");
  }

  /** A jump to the stub that looks for the target in R15. */
  static void lookup(PathState s) {
    leaves(s);
    require(!s.moved, "the present page has changed");
    require(!PathState.isSecret(s.address), "the target is a value of the host");
  }

  static void sameMode(PathState s) {
    require(s.access == PathState.ACCESS_SAME, "code of another mode is what comes next");
  }

  /** A jump that can lead to another translation in the same page. */
  static void linkable(PathState s) {
    leaves(s);
    sameMode(s);
    require(!s.moved, "the present page has changed");
  }
}
