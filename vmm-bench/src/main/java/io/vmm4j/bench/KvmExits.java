package io.vmm4j.bench;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.boot.BootSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * What the KVM backend costs: an exit for a byte written to a port, against a C program that makes
 * the same ioctls, by turns in one run; the start of a machine to its first instruction; and the
 * memory of a machine beyond its guest's. Needs KVM, and gcc. {@code ./bench KvmExits [ROUNDS
 * [COUNT]]}
 */
public final class KvmExits {
  /** {@code mov dx, 0x80; out dx, al; jmp} back to the OUT. */
  private static final String LOOP = "ba8000 ee ebfd";

  /** Writes a byte into its segment and halts: {@code mov byte cs:[0x500], 1; hlt; jmp} back. */
  private static final String MARK = "2ec606000501 f4 ebfd";

  private static final int MARKED = 0x10500;
  private static final int MACHINES = 20;

  private KvmExits() {}

  /** Measures and prints. */
  public static void main(String[] arguments) throws Exception {
    BackendProbe probe = Backends.probeAll().get("kvm");
    if (!probe.usable()) {
      System.out.println("KVM can't be used: " + probe.detail());
      System.exit(1);
    }
    System.out.println(probe.detail());
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
    long count = arguments.length > 1 ? Long.parseLong(arguments[1]) : 200_000;
    Path directory = Files.createTempDirectory("kvm-exits");
    exits(directory, rounds, count);
    starts(directory);
    memory(directory);
  }

  private static VmSpec spec(Path directory, String name, String hex) throws IOException {
    Path image = directory.resolve(name);
    Files.write(image, HexFormat.of().parseHex(hex.replace(" ", "")));
    return VmSpec.builder(name)
        .backend(Backends.kvm())
        .memory(MemorySize.mebibytes(1))
        .boot(new BootSource.FlatRealMode(image, 0x10000))
        .build();
  }

  // ---- exits ----

  private static void exits(Path directory, int rounds, long count) throws Exception {
    Path program = compile(directory);
    try (Vm vm = Vm.start(spec(directory, "loop", LOOP))) {
      await(vm, 2 * count); // for HotSpot
      System.out.println("ns for an exit: library, C, ratio");
      for (int round = 0; round < rounds; round++) {
        vm.resume();
        double ours = await(vm, count);
        vm.pause();
        double c = inC(program, count);
        System.out.printf("%8.0f %8.0f %6.3f%n", ours, c, ours / c);
      }
    }
  }

  private static Path compile(Path directory) throws Exception {
    Path source = directory.resolve("exits.c");
    try (InputStream in = KvmExits.class.getResourceAsStream("exits.c")) {
      Files.copy(in, source);
    }
    Path program = directory.resolve("exits");
    run(List.of("gcc", "-O2", "-o", program.toString(), source.toString()));
    return program;
  }

  /** Nanoseconds for an access while so many happen. */
  private static double await(Vm vm, long count) throws InterruptedException {
    long first = exits(vm);
    long begin = System.nanoTime();
    long now = first;
    while (now - first < count) {
      Thread.sleep(20);
      now = exits(vm);
    }
    return (double) (System.nanoTime() - begin) / (now - first);
  }

  private static long exits(Vm vm) {
    return vm.metrics().counters().get("portExits");
  }

  private static double inC(Path program, long count) throws Exception {
    return Double.parseDouble(run(List.of(program.toString(), "1", Long.toString(count))).strip());
  }

  private static String run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(command.getFirst() + ": " + output);
    }
    return output;
  }

  // ---- starts and memory ----

  private static void starts(Path directory) throws IOException {
    VmSpec spec = spec(directory, "start", MARK);
    List<Long> micros = new ArrayList<>();
    for (int i = 0; i < MACHINES; i++) {
      long begin = System.nanoTime();
      try (Vm vm = Vm.start(spec)) {
        awaitMark(vm);
        micros.add((System.nanoTime() - begin) / 1000);
      }
    }
    long first = micros.getFirst();
    micros.sort(null);
    System.out.printf(
        "start to first instruction: first %d us, median of %d %d us%n",
        first, MACHINES, micros.get(MACHINES / 2));
  }

  private static void awaitMark(Vm vm) {
    while (vm.memory().readByte(MARKED) == 0) {
      LockSupport.parkNanos(20_000);
    }
  }

  private static void memory(Path directory) throws IOException {
    VmSpec spec = spec(directory, "memory", MARK);
    List<Vm> machines = new ArrayList<>();
    try {
      System.gc();
      long before = resident();
      for (int i = 0; i < MACHINES; i++) {
        Vm vm = Vm.start(spec);
        machines.add(vm);
        awaitMark(vm);
      }
      System.gc();
      System.out.printf(
          "memory of a machine of 1 MiB in this process: %d KiB resident%n",
          (resident() - before) / MACHINES);
    } finally {
      machines.forEach(Vm::close);
    }
  }

  /** KiB of this process in memory. */
  private static long resident() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      String line = lines.filter(l -> l.startsWith("VmRSS:")).findFirst().orElseThrow();
      return Long.parseLong(line.replaceAll("\\D", ""));
    }
  }
}
