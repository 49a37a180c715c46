package io.vmm4j.bench;

import io.vmm4j.api.Vm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The same work on one vCPU and on four, by turns: four programs at once, each with a quarter of
 * it. Prints seconds by wall clock and of processor time. The least wall-clock time is the one that
 * other load disturbed least; processor time tells what it costs to be four. {@code ./bench
 * ParallelVcpus [ROUNDS]}
 */
public final class ParallelVcpus {
  private static final int CPUS = 4;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** A workload: what each of the four programs runs. */
  private record Work(String name, String command) {}

  /** Seconds by wall clock, and of processor time of this process. */
  private record Time(double wall, double processor) {}

  private static final List<Work> WORK =
      List.of(
          new Work("SHA-256 of 4 x 8 MB", "head -c 8388608 /dev/zero | sha256sum"),
          new Work("awk, 4 loops", "awk 'BEGIN{for(i=0;i<250000;i++){s+=i%7}; print s}'"),
          new Work("seq, sort -r, gzip, 4 times", "seq 1 60000 | sort -r | gzip -c | md5sum"),
          new Work("4 shells that fork 100 times", "for i in $(seq 100); do /bin/true; done"));

  private int marks;

  private ParallelVcpus() {}

  /** Prints the figures. */
  public static void main(String[] args) {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
    new ParallelVcpus().run(rounds);
  }

  private void run(int rounds) {
    try (Vm one = BootedGuest.boot("one", 1);
        Vm four = BootedGuest.boot("four", CPUS)) {
      one.pause();
      four.pause();
      for (Work work : WORK) {
        time(one, work);
        time(four, work);
        List<Time> ones = new ArrayList<>();
        List<Time> fours = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
          ones.add(time(one, work));
          fours.add(time(four, work));
        }
        System.out.printf(
            Locale.ROOT,
            "%-30s least %5.2f s on one, %5.2f on four: %.2f times as fast;"
                + " median %5.2f and %5.2f: %.2f; cpu %5.2f and %5.2f%n",
            work.name(),
            least(ones),
            least(fours),
            least(ones) / least(fours),
            median(ones, Time::wall),
            median(fours, Time::wall),
            median(ones, Time::wall) / median(fours, Time::wall),
            median(ones, Time::processor),
            median(fours, Time::processor));
      }
      System.out.println(four.metrics());
    }
  }

  private static double median(List<Time> times, ToDoubleFunction<Time> of) {
    return times.stream().mapToDouble(of).sorted().toArray()[times.size() / 2];
  }

  private static double least(List<Time> times) {
    return times.stream().mapToDouble(Time::wall).min().orElseThrow();
  }

  private static double processorSeconds() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos() / 1e9;
  }

  private Time time(Vm vm, Work work) {
    String mark = "done-" + ++marks;
    vm.resume();
    long begun = System.nanoTime();
    double processor = processorSeconds();
    vm.console("com1")
        .sendLine(
            "for j in 1 2 3 4; do ( %s ) >/tmp/$j & done; wait; md5sum </tmp/1; echo done'-'%d"
                .formatted(work.command(), marks));
    vm.console("com1").expect(mark, PATIENCE);
    double wall = (System.nanoTime() - begun) / 1e9;
    vm.pause();
    return new Time(wall, processorSeconds() - processor);
  }
}
