package io.vmm4j.software.differential;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.slf4j.LoggerFactory;

/**
 * Many cases on two processors. As a program: {@code ./differential [--backend A] [--against B]
 * [--seed S] [COUNT]}.
 */
public final class Campaign {
  private static final int CANNOT_RUN = 69;
  private static final int USAGE = 2;
  private static final int FOUND = 1;
  private static final int MOST_REPORTED = Integer.getInteger("vmm4j.differential.reports", 20);

  private final Processor ours;
  private final Processor theirs;
  private final Comparer comparison;
  private long cases;
  private final TreeMap<Integer, Long> vectors = new TreeMap<>();
  private final List<String> reports = new ArrayList<>();
  private long found;

  Campaign(Processor ours, Processor theirs) {
    this.ours = ours;
    this.theirs = theirs;
    // Tiers of one processor leave nothing open.
    boolean exact = isTier(ours.name()) && isTier(theirs.name());
    this.comparison = exact ? Comparison::exact : Comparison::of;
  }

  private static boolean isTier(String name) {
    return name.equals("interpreter") || name.equals("machine-code");
  }

  /** Runs the cases of consecutive seeds. */
  void run(long firstSeed, long count) {
    for (long i = 0; i < count; i++) {
      Case c = CaseGenerator.of(firstSeed + i);
      Outcome a = ours.run(c);
      Outcome b = theirs.run(c);
      cases++;
      vectors.merge(b.vector(), 1L, Long::sum);
      List<String> differences = comparison.of(c, a, b);
      if (!differences.isEmpty()) {
        found++;
        if (reports.size() < MOST_REPORTED) {
          reports.add(
              "%s  in the first run: %s%n"
                  .formatted(
                      new Minimizer(ours, theirs, comparison).report(c),
                      String.join("; ", differences)));
        }
      }
    }
  }

  long cases() {
    return cases;
  }

  /** How many cases ended with each exception, by vector, on the processor compared with. */
  TreeMap<Integer, Long> vectors() {
    return vectors;
  }

  /** How many cases differed. */
  long found() {
    return found;
  }

  /** The first of them, each made as short as it can be. */
  List<String> reports() {
    return reports;
  }

  /** Opens a processor: a backend by its name, or {@code native}. */
  static Processor open(String name) {
    return name.equals("native") ? NativeProcessor.open() : BackendProcessor.open(name);
  }

  private record Options(String backend, String against, long seed, long count) {

    static Options parse(String[] arguments) {
      String backend = "software";
      String against = "kvm";
      long seed = System.nanoTime();
      long count = 1_000_000;
      for (int i = 0; i < arguments.length; i++) {
        switch (arguments[i]) {
          case "--backend" -> backend = arguments[++i];
          case "--against" -> against = arguments[++i];
          case "--seed" -> seed = Long.parseLong(arguments[++i]);
          default -> count = Long.parseLong(arguments[i]);
        }
      }
      if (count < 1) {
        throw new NumberFormatException("COUNT has to be positive");
      }
      return new Options(backend, against, seed, count);
    }
  }

  /** The command line. */
  public static void main(String[] arguments) {
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      System.err.println("differential: " + e.getMessage());
      System.err.println(
          "usage: ./differential [--backend NAME] [--against NAME] [--seed S] [COUNT]");
      System.err.println("NAME: software, interpreter, machine-code, kvm, native");
      System.exit(USAGE);
      return;
    }
    int status;
    try (Processor ours = openOrExit(options.backend);
        Processor theirs = openOrExit(options.against)) {
      status = run(options, new Campaign(ours, theirs));
    }
    System.exit(status);
  }

  private static Processor openOrExit(String name) {
    try {
      return open(name);
    } catch (UnavailableException e) {
      System.err.printf("differential: %s can't run here: %s%n", name, e.getMessage());
      System.exit(CANNOT_RUN);
      throw e;
    }
  }

  private static int run(Options options, Campaign campaign) {
    // Encodings that do not exist are what many cases are for.
    ((Logger) LoggerFactory.getLogger("io.vmm4j.software.undefined")).setLevel(Level.OFF);
    long step = Math.max(1, Math.min(100_000, options.count / 10));
    long begin = System.nanoTime();
    int told = 0;
    for (long done = 0; done < options.count; done += step) {
      campaign.run(options.seed + done, Math.min(step, options.count - done));
      for (; told < campaign.reports.size(); told++) {
        System.out.println(campaign.reports.get(told));
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      System.out.printf(
          "%d cases, %.0f a second, %d differ%n",
          campaign.cases, campaign.cases / seconds, campaign.found);
    }
    System.out.printf(
        "%s against %s, seeds from %d: %d of %d cases differ; exceptions by vector: %s%n",
        options.backend,
        options.against,
        options.seed,
        campaign.found,
        campaign.cases,
        campaign.vectors);
    return campaign.found == 0 ? 0 : FOUND;
  }
}
