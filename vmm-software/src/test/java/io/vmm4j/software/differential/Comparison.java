package io.vmm4j.software.differential;

import io.vmm4j.software.cpu.Flags;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What two outcomes of a case differ in. Not compared: what the case leaves open where it ended
 * ({@link Case#openAt}), the pointers to the last x87 instruction, and reserved bits ({@link
 * Freedom}).
 */
final class Comparison {
  private static final int COMPARED_FLAGS =
      Flags.ARITHMETIC
          | Flags.DF
          | Flags.TF
          | Flags.IOPL
          | Flags.NT
          | Flags.RF
          | Flags.AC
          | Flags.ID;
  private static final String[] NAMES = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15"
  };
  private static final int GP = 13;
  private static final int PF = 14;
  private static final int AC = 17;

  private final List<String> differences = new ArrayList<>();

  private Comparison() {}

  /** The differences, each as "what ours/theirs"; none if the outcomes are equal. */
  static List<String> of(Case c, Outcome ours, Outcome theirs) {
    Comparison comparison = new Comparison();
    comparison.compare(c, ours, theirs);
    return comparison.differences;
  }

  /** The same where nothing is left open: between tiers of one processor. */
  static List<String> exact(Case c, Outcome ours, Outcome theirs) {
    Comparison comparison = new Comparison();
    comparison.compare(ours, theirs, Mask.NONE);
    return comparison.differences;
  }

  private void compare(Case c, Outcome ours, Outcome theirs) {
    compare(ours, theirs, c.openAt(theirs.state().rip()));
  }

  private void compare(Outcome ours, Outcome theirs, Mask open) {
    UserState a = ours.state();
    UserState b = theirs.state();
    if (!open.alignment() || !isAlignment(ours.vector()) || !isAlignment(theirs.vector())) {
      number("vector", ours.vector(), theirs.vector());
    }
    number("rip", a.rip(), b.rip());
    if (ours.vector() == theirs.vector()) {
      number("error code", ours.errorCode(), theirs.errorCode());
      if (ours.vector() == PF) {
        long compared = open.cr2() ? -Layout.PAGE : -1;
        number("cr2", ours.cr2() & compared, theirs.cr2() & compared);
      }
      if (ours.dr6() != Outcome.UNKNOWN && theirs.dr6() != Outcome.UNKNOWN) {
        number("dr6", ours.dr6(), theirs.dr6());
      }
    }
    for (int i = 0; i < 16; i++) {
      if ((open.registers() >> i & 1) == 0) {
        number(NAMES[i], a.gpr()[i], b.gpr()[i]);
      }
    }
    long flags = COMPARED_FLAGS & ~open.flags();
    number("rflags", a.rflags() & flags, b.rflags() & flags);
    floatingPoint(a, b, open);
    byte[] expected = theirs.memory().clone();
    ignore(open.memory(), open.memoryBytes(), ours.memory(), expected);
    if (open.top()) {
      ignore(b.gpr()[Draw.RSP], 8, ours.memory(), expected);
    }
    memory(ours.memory(), expected);
  }

  private static boolean isAlignment(int vector) {
    return vector == GP || vector == AC;
  }

  private void number(String what, long ours, long theirs) {
    if (ours != theirs) {
      differences.add("%s %x/%x".formatted(what, ours, theirs));
    }
  }

  private void floatingPoint(UserState a, UserState b, Mask open) {
    if (!open.x87()) {
      number("fcw", a.controlWord(), b.controlWord());
      number("fsw", a.statusWord(), b.statusWord());
      number("tags", a.abridgedTag(), b.abridgedTag());
      for (int i = 0; i < 8; i++) {
        if (a.significand(i) != b.significand(i) || a.signExponent(i) != b.signExponent(i)) {
          differences.add(
              "st%d %04x.%016x/%04x.%016x"
                  .formatted(
                      i, a.signExponent(i), a.significand(i), b.signExponent(i), b.significand(i)));
        }
      }
    }
    number("mxcsr", a.mxcsr(), b.mxcsr());
    for (int i = 0; i < 16; i++) {
      if ((open.xmm() >> i & 1) == 0
          && (a.xmm(i, 0) != b.xmm(i, 0) || a.xmm(i, 1) != b.xmm(i, 1))) {
        differences.add(
            "xmm%d %016x.%016x/%016x.%016x"
                .formatted(i, a.xmm(i, 1), a.xmm(i, 0), b.xmm(i, 1), b.xmm(i, 0)));
      }
      if ((open.xmm() >> i & 1) == 0
          && (a.ymmHigh(i, 0) != b.ymmHigh(i, 0) || a.ymmHigh(i, 1) != b.ymmHigh(i, 1))) {
        differences.add(
            "ymm%d high %016x.%016x/%016x.%016x"
                .formatted(i, a.ymmHigh(i, 1), a.ymmHigh(i, 0), b.ymmHigh(i, 1), b.ymmHigh(i, 0)));
      }
    }
  }

  private static void ignore(long address, int bytes, byte[] ours, byte[] theirs) {
    for (int i = 0; i < bytes; i++) {
      int offset = Layout.offset(address + i);
      if (offset >= 0) {
        theirs[offset] = ours[offset];
      }
    }
  }

  private void memory(byte[] ours, byte[] theirs) {
    int at = Arrays.mismatch(ours, theirs);
    if (at >= 0) {
      int end = Math.min(at + 16, ours.length);
      java.util.HexFormat hex = java.util.HexFormat.of();
      differences.add(
          "memory %x: %s/%s"
              .formatted(
                  Layout.address(at),
                  hex.formatHex(ours, at, end),
                  hex.formatHex(theirs, at, end)));
    }
  }
}
