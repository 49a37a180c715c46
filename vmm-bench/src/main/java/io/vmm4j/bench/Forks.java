package io.vmm4j.bench;

import io.vmm4j.api.CaptureReport;
import io.vmm4j.api.Console;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Captures, forks and rewinds of a booted Linux with 512 MiB: how long each takes, and how much
 * memory forks need. {@code ./bench Forks}
 */
public final class Forks {
  private static final int ROUNDS = 15;
  private static final String COMMAND = "ls -l /bin | wc -l";
  private static final int ALIVE = 50;

  private Forks() {}

  /** Runs all of it once and prints. */
  public static void main(String[] arguments) throws Exception {
    try (Vm vm = BootedGuest.boot("origin")) {
      captures(vm);
      // A guest that computes all the time, so that its first instruction is not a timer's.
      vm.console("com1").sendLine("while true; do :; done &");
      vm.console("com1").expect(BootedGuest.PROMPT, BootedGuest.PATIENCE);
      try (Snapshot snapshot = vm.snapshot()) {
        vm.pause();
        forks(snapshot);
      }
      vm.resume();
      vm.console("com1").sendLine("kill $!; echo stopped | cat");
      vm.console("com1").expect("stopped\r\n", BootedGuest.PATIENCE);
      vm.console("com1").expect(BootedGuest.PROMPT, BootedGuest.PATIENCE);
      try (Snapshot snapshot = vm.snapshot()) {
        rewinds(vm, snapshot);
        commands(vm, snapshot);
        vm.pause();
        alive(snapshot);
      }
    }
  }

  private static void captures(Vm vm) {
    double[] stopped = new double[ROUNDS];
    double[] live = new double[ROUNDS];
    double[] paused = new double[ROUNDS];
    CaptureReport last = null;
    for (int i = 0; i < ROUNDS; i++) {
      try (Snapshot one = vm.snapshot();
          Snapshot two = vm.snapshot(SnapshotOptions.live())) {
        stopped[i] = one.captureReport().orElseThrow().total().toNanos() / 1e6;
        last = two.captureReport().orElseThrow();
        live[i] = last.total().toNanos() / 1e6;
        paused[i] = last.paused().toNanos() / 1e6;
      }
    }
    print("capture, guest standing", stopped);
    print("live capture", live);
    print("  of it the guest stood", paused);
    System.out.println("  " + last);
  }

  private static void forks(Snapshot snapshot) {
    double[] millis = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      long start = System.nanoTime();
      try (Vm fork = snapshot.fork()) {
        while (fork.metrics().instructions() <= 0) {
          Thread.onSpinWait();
        }
        millis[i] = (System.nanoTime() - start) / 1e6;
      }
    }
    print("fork to first instruction", millis);
  }

  private static void rewinds(Vm vm, Snapshot snapshot) {
    double[] millis = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      command(vm);
      long start = System.nanoTime();
      vm.restore(snapshot);
      millis[i] = (System.nanoTime() - start) / 1e6;
    }
    print("rewind after '" + COMMAND + "'", millis);
  }

  /** A command in the machine that has run it before, and as the first one of a fork. */
  private static void commands(Vm vm, Snapshot snapshot) {
    double[] warm = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      warm[i] = command(vm);
    }
    print("'" + COMMAND + "', warm", warm);
    double[] first = new double[ROUNDS];
    double[] second = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      try (Vm fork = snapshot.fork()) {
        first[i] = command(fork);
        second[i] = command(fork);
      }
    }
    print("  the first command of a fork", first);
    print("  the second", second);
  }

  private static double command(Vm vm) {
    Console console = vm.console("com1");
    long start = System.nanoTime();
    console.sendLine(COMMAND + "; echo done | cat");
    console.expect("done\r\n", BootedGuest.PATIENCE);
    console.expect(BootedGuest.PROMPT, BootedGuest.PATIENCE);
    return (System.nanoTime() - start) / 1e6;
  }

  private static void alive(Snapshot snapshot) throws IOException, InterruptedException {
    System.gc();
    long before = residentKibibytes();
    List<Vm> forks = new ArrayList<>();
    try {
      long start = System.nanoTime();
      for (int i = 0; i < ALIVE; i++) {
        forks.add(snapshot.resume(ResumeOptions.standard().asClone().named("fork-" + i)));
      }
      System.out.printf("%d forks in %.2f s%n", ALIVE, (System.nanoTime() - start) / 1e9);
      for (Vm fork : forks) {
        fork.console("com1").sendLine("echo $((6 * 7)) | cat");
      }
      for (Vm fork : forks) {
        fork.console("com1").expect("42\r\n", BootedGuest.PATIENCE);
      }
      System.out.printf(
          "%d forks alive, each having run a command after %.2f s: %d MiB resident, %d before%n",
          ALIVE, (System.nanoTime() - start) / 1e9, residentKibibytes() >> 10, before >> 10);
    } finally {
      forks.forEach(Vm::close);
    }
    System.gc();
    System.out.printf("closed: %d MiB resident%n", residentKibibytes() >> 10);
  }

  private static long residentKibibytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no VmRSS in /proc/self/status");
  }

  private static void print(String what, double[] millis) {
    double[] sorted = millis.clone();
    Arrays.sort(sorted);
    System.out.printf(
        "%s: %.1f ms in the middle, %.1f to %.1f ms, the first %.1f ms (%d times)%n",
        what,
        sorted[sorted.length / 2],
        sorted[0],
        sorted[sorted.length - 1],
        millis[0],
        millis.length);
  }
}
