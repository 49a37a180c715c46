package io.vmm4j.software.differential;

import io.vmm4j.software.differential.Case.Piece;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Makes a case in which two processors differ shorter: NOPs take the place of all groups of
 * instructions that the difference can do without. A group stays whole: it may set the count of a
 * loop, or define what it has left undefined.
 */
final class Minimizer {
  private static final long DISASSEMBLED_WITHIN_SECONDS = 10;

  private final Processor ours;
  private final Processor theirs;
  private final Comparer comparison;

  Minimizer(Processor ours, Processor theirs, Comparer comparison) {
    this.comparison = comparison;
    this.ours = ours;
    this.theirs = theirs;
  }

  private List<String> differences(Case c) {
    return comparison.of(c, ours.run(c), theirs.run(c));
  }

  /** The shortest case found that still differs. */
  Case minimize(Case whole) {
    Case c = whole;
    boolean shorter = true;
    while (shorter) {
      shorter = false;
      for (List<Piece> group : c.groups().reversed()) {
        Case without = c.without(group);
        if (!differences(without).isEmpty()) {
          c = without;
          shorter = true;
        }
      }
    }
    return c;
  }

  /** What to say of a case that differs: how to make it again, its code, its state, and what. */
  String report(Case whole) {
    Case c = minimize(whole);
    Outcome a = ours.run(c);
    Outcome b = theirs.run(c);
    StringBuilder text = new StringBuilder();
    text.append("DIFFERENCE: seed %d, %s/%s%n".formatted(c.seed(), ours.name(), theirs.name()));
    text.append(disassembly(c));
    text.append("  from").append(describe(c.start())).append('\n');
    text.append("  ends with vector %d/%d%n".formatted(a.vector(), b.vector()));
    for (String d : comparison.of(c, a, b)) {
      text.append("  ").append(d).append('\n');
    }
    return text.toString();
  }

  private static String describe(UserState s) {
    String registers =
        Arrays.stream(s.gpr()).mapToObj(Long::toHexString).collect(Collectors.joining(" "));
    StringBuilder text =
        new StringBuilder(
            " rip %x rflags %x gpr %s%n  fcw %x fsw %x tags %x mxcsr %x"
                .formatted(
                    s.rip(),
                    s.rflags(),
                    registers,
                    s.controlWord(),
                    s.statusWord(),
                    s.abridgedTag(),
                    s.mxcsr()));
    for (int i = 0; i < 8; i++) {
      text.append(" st%d %04x.%016x".formatted(i, s.signExponent(i), s.significand(i)));
    }
    text.append("\n ");
    for (int i = 0; i < 16; i++) {
      text.append(" xmm%d %016x.%016x".formatted(i, s.xmm(i, 1), s.xmm(i, 0)));
    }
    text.append("\n ");
    for (int i = 0; i < 16; i++) {
      text.append(" ymm%d high %016x.%016x".formatted(i, s.ymmHigh(i, 1), s.ymmHigh(i, 0)));
    }
    return text.toString();
  }

  /** By objdump where that is, as bytes elsewhere. */
  private static String disassembly(Case c) {
    try {
      Path file = Files.createTempFile("vmm4j", ".bin");
      try {
        StringBuilder text = new StringBuilder();
        for (Piece p : c.pieces()) {
          Files.write(file, c.bytes(p));
          text.append(objdump(file, Layout.CODE + p.offset()));
        }
        return text.toString();
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      return c.listing();
    }
  }

  private static String objdump(Path file, long address) throws IOException {
    Process objdump =
        new ProcessBuilder(
                "objdump",
                "-D",
                "-b",
                "binary",
                "-m",
                "i386:x86-64",
                "-M",
                "intel",
                "-w",
                "--insn-width=16",
                "--adjust-vma=" + address,
                file.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(objdump.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!objdump.waitFor(DISASSEMBLED_WITHIN_SECONDS, TimeUnit.SECONDS)) {
        objdump.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return output
        .lines()
        .filter(line -> line.matches(" +[0-9a-f]+:\t.*"))
        .map(line -> "  " + line.strip() + "\n")
        .collect(Collectors.joining());
  }
}
