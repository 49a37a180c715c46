package io.vmm4j.bench;

import io.vmm4j.api.Console;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * How fast the Debian kernel boots on the software backend, from kernel entry to init: instructions
 * by wall-clock time and by the vCPU thread's processor time, in all and second by second, in a
 * fresh JVM; and how the guest's clock compares with the host's. {@code ./bench BootSpeed
 * [FLAVOUR]}
 */
public final class BootSpeed {
  private static final String INIT_RUNS = "Run /init as init process";
  private static final Pattern UPTIME = Pattern.compile("\\d+\\.\\d\\d \\d+\\.\\d\\d");
  private static final String READY = "vmm4j guest ready";

  private BootSpeed() {}

  private record Sample(long nanos, long processorNanos, long instructions) {}

  /** Boots once and prints. */
  public static void main(String[] arguments) throws Exception {
    VmSpec spec = BootedGuest.spec("boot", arguments.length > 0 ? arguments[0] : "cloud-amd64");
    try (Vm vm = Vm.create(spec)) {
      List<Sample> samples = new ArrayList<>();
      samples.add(sample(vm));
      vm.resume();
      Thread sampler =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  while (true) {
                    Thread.sleep(1000);
                    samples.add(sample(vm));
                  }
                } catch (InterruptedException e) {
                  // The boot is over.
                }
              });
      vm.console("com1").expect(INIT_RUNS, BootedGuest.PATIENCE);
      sampler.interrupt();
      sampler.join();
      samples.add(sample(vm));
      print(samples, "init");
      vm.console("com1").expect(READY, BootedGuest.PATIENCE);
      print(List.of(samples.getLast(), sample(vm)), "from there to the shell");
      log(vm.console("com1").transcriptBytes());
      vm.console("com1").expect(BootedGuest.PROMPT, BootedGuest.PATIENCE);
      clock(vm.console("com1"));
    }
  }

  /** How long a guest that computes for a while takes by its own clock and by the host's. */
  private static void clock(Console console) {
    double guest = uptime(console);
    long host = System.nanoTime();
    console.sendLine("i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done");
    console.expect(BootedGuest.PROMPT, BootedGuest.PATIENCE);
    double guestSeconds = uptime(console) - guest;
    System.out.printf(
        "a loop in the guest: %.2f s by its clock, %.2f s by the host's%n",
        guestSeconds, (System.nanoTime() - host) / 1e9);
  }

  private static double uptime(Console console) {
    console.sendLine("cat /proc/uptime");
    String text = console.expect(UPTIME, BootedGuest.PATIENCE).text();
    console.expect(BootedGuest.PROMPT, BootedGuest.PATIENCE);
    return Double.parseDouble(text.split(" ")[0]);
  }

  private static void log(byte[] transcript) {
    new String(transcript, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.contains(INIT_RUNS))
        .forEach(line -> System.out.println("guest's own clock: " + line));
  }

  private static Sample sample(Vm vm) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long processor = 0;
    for (long id : threads.getAllThreadIds()) {
      var info = threads.getThreadInfo(id);
      if (info != null && info.getThreadName().equals("vmm-boot-vcpu-0")) {
        processor = threads.getThreadCpuTime(id);
      }
    }
    return new Sample(System.nanoTime(), processor, vm.metrics().instructions());
  }

  private static void print(List<Sample> samples, String until) {
    Sample first = samples.getFirst();
    Sample last = samples.getLast();
    StringBuilder windows = new StringBuilder();
    for (int i = 1; i < samples.size(); i++) {
      windows.append(" %.0f".formatted(rate(samples.get(i - 1), samples.get(i), false)));
    }
    System.out.printf(
        "%s: %.1f M instructions, %.2f s (vCPU's processor time %.2f s): %.1f M/s (%.1f M/s)%n",
        until,
        (last.instructions - first.instructions) / 1e6,
        (last.nanos - first.nanos) / 1e9,
        (last.processorNanos - first.processorNanos) / 1e9,
        rate(first, last, false),
        rate(first, last, true));
    System.out.println("M/s second by second:" + windows);
  }

  private static double rate(Sample from, Sample to, boolean processor) {
    long nanos = processor ? to.processorNanos - from.processorNanos : to.nanos - from.nanos;
    return (to.instructions - from.instructions) * 1e3 / nanos;
  }
}
