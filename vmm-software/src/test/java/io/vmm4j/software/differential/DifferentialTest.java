package io.vmm4j.software.differential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The same 10,000 cases on the software CPU and on others. {@code ./differential} runs millions;
 * docs/differential.md tells how to go on from a failure.
 */
class DifferentialTest {
  private static final long FIRST_SEED = 1;
  private static final int CASES = 10_000;

  /**
   * Exceptions that cases of fixed seeds have to have met: DE, DB, BP, UD, SS, GP, PF, MF, AC, XM.
   */
  private static final List<Integer> MET = List.of(0, 1, 3, 6, 12, 13, 14, 16, 17, 19);

  @Test
  void softwareDoesAsKvm() throws IOException {
    Path processors = Path.of("/proc/cpuinfo");
    if (Files.isReadable(processors) && Files.readString(processors).contains("QEMU TCG")) {
      System.out.println("SKIPPED: no comparison with KVM: its processor is QEMU's emulation");
      abort("the processor is QEMU's emulation, which differs from real ones");
    }
    compareWith("kvm");
    System.out.println("BACKEND: kvm");
  }

  @Test
  void softwareDoesAsTheHostsProcessor() {
    compareWith("native");
  }

  /** No flag is left open here, not even those that the manuals leave undefined. */
  @Test
  void machineCodeDoesAsTheInterpreter() {
    compare("machine-code", "interpreter");
  }

  private static void compareWith(String name) {
    compare("software", name);
  }

  private static void compare(String name, String with) {
    try (Processor software = openOrSkip(name);
        Processor other = openOrSkip(with)) {
      Campaign campaign = new Campaign(software, other);
      campaign.run(FIRST_SEED, CASES);
      assertThat(campaign.found()).as(() -> String.join("\n", campaign.reports())).isZero();
      assertThat(campaign.vectors()).containsKeys(MET.toArray(Integer[]::new));
    }
  }

  private static Processor openOrSkip(String name) {
    try {
      return Campaign.open(name);
    } catch (UnavailableException e) {
      System.out.printf("SKIPPED: no comparison of processors with %s: %s%n", name, e.getMessage());
      return abort(e.getMessage());
    }
  }

  @Test
  void aSeedMakesTheSameCaseAgain() {
    for (long seed = 0; seed < 100; seed++) {
      Case a = CaseGenerator.of(seed);
      Case b = CaseGenerator.of(seed);
      assertThat(b.memory()).isEqualTo(a.memory());
      assertThat(b.start().gpr()).isEqualTo(a.start().gpr());
      assertThat(b.start().fx()).isEqualTo(a.start().fx());
      assertThat(b.pieces()).isEqualTo(a.pieces());
    }
  }

  /** A processor that gets something wrong is found out, and the case is shortened. */
  @Test
  void aDifferenceIsFoundAndShortened() {
    try (Processor software = Campaign.open("software");
        Processor good = Campaign.open("software")) {
      Processor bad = new WrongProcessor(good);
      Campaign campaign = new Campaign(software, bad);

      campaign.run(FIRST_SEED, 300);

      assertThat(campaign.found()).isPositive();
      Case whole = wrong(software, bad);
      Case shortest = new Minimizer(software, bad, Comparison::of).minimize(whole);
      assertThat(shortest.groups()).hasSizeLessThan(whole.groups().size());
      assertThat(new Minimizer(software, bad, Comparison::of).report(whole))
          .contains("seed " + whole.seed(), "xmm0 ");
    }
  }

  private static Case wrong(Processor software, Processor bad) {
    for (long seed = FIRST_SEED; ; seed++) {
      Case c = CaseGenerator.of(seed);
      if (c.groups().size() > 5 && !Comparison.of(c, software.run(c), bad.run(c)).isEmpty()) {
        return c;
      }
    }
  }

  /** Flips a bit of XMM0 in cases that have changed it. */
  private record WrongProcessor(Processor delegate) implements Processor {
    @Override
    public String name() {
      return "wrong";
    }

    @Override
    public Outcome run(Case c) {
      Outcome o = delegate.run(c);
      UserState end = o.state();
      if (end.xmm(0, 0) != c.start().xmm(0, 0)) {
        end.setXmm(0, end.xmm(0, 0) ^ 1, end.xmm(0, 1));
      }
      return o;
    }

    @Override
    public void close() {
      delegate.close();
    }
  }
}
