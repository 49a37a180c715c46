package io.vmm4j.bench;

import io.vmm4j.guests.GuestCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The software backend beside QEMU's TCG, with the same guest and the same work in one run: seconds
 * from the command to the shell, and of programs in the guest once they are warm, by wall clock and
 * by the processor time of the whole process. {@code ./bench Tcg [ROUNDS]}, on an idle machine. The
 * sides take turns, and the median of the rounds is printed. It installs nothing.
 */
public final class Tcg {
  private static final String QEMU = "qemu-system-x86_64";
  private static final String PROMPT = "vmm4j:/root# ";
  private static final int DEFAULT_ROUNDS = 5;
  private static final String OURS = "vmm4j";
  private static final String TCG = "TCG";
  private static final String BOOT = "boot";

  /** How often a program runs before it is timed. */
  private static final int WARM_RUNS = 1;

  /** 2^2203 - 1, in hexadecimal. */
  private static final String PRIME = "-hex 7" + "F".repeat(550);

  /** What the guest does; the shell is busybox's. */
  private static final Map<String, String> WORK = new LinkedHashMap<>();

  /** What a guest with Debian's programs does. */
  private static final Map<String, String> PROGRAMS = new LinkedHashMap<>();

  static {
    WORK.put("sha256", "head -c 32000000 /dev/zero | sha256sum");
    WORK.put("awk", "awk 'BEGIN{for(i=0;i<1000000;i++){s+=i%7;a[i%1000]=s}print s,length(a)}'");
    WORK.put("sort+gzip", "seq 1 200000 | sort -r | gzip | wc -c");
    WORK.put("shell", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo $i");
    WORK.put("forks", "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done; echo $i");
    PROGRAMS.put(
        "matrix",
        "/usr/bin/lua -e 'n=250 a={} b={} for i=1,n do a[i]={} b[i]={} for j=1,n do"
            + " a[i][j]=i+j/7 b[i][j]=i-j/3 end end s=0.0 for i=1,n do local r=a[i]"
            + " for j=1,n do local t=0.0 for k=1,n do t=t+r[k]*b[k][j] end s=s+t end end"
            + " print(string.format(\"%.6e\",s))'");
    PROGRAMS.put(
        "lua",
        "/usr/bin/lua -e 'local function f(n) if n<2 then return n end return f(n-1)+f(n-2) end"
            + " local t={} for i=1,60000 do t[#t+1]=tostring(i)..\"x\" end"
            + " print(f(30),#table.concat(t))'");
    PROGRAMS.put("openssl", "/usr/bin/openssl prime -checks 12 " + PRIME);
    PROGRAMS.put(
        "as",
        "[ -f /tmp/a.s ] || awk 'BEGIN{for(i=0;i<40000;i++){printf"
            + " \"l%d: mov %%rax, %d(%%rbx)\\n add $%d, %%rcx\\n jne l%d\\n\",i,i,i,i}}' >/tmp/a.s;"
            + " /usr/bin/as -o /tmp/a.o /tmp/a.s && sha256sum /tmp/a.o");
  }

  private Tcg() {}

  /** Seconds by wall clock, and of processor time. */
  private record Time(double wall, double processor) {}

  /** One guest in a process of its own, whose serial port is the process's input and output. */
  private static final class Side implements AutoCloseable {
    private final Process process;
    private final InputStream out;
    private final OutputStream in;
    private final StringBuilder said = new StringBuilder();
    private int read;
    private int markers;

    Side(List<String> command) throws IOException {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      out = process.getInputStream();
      in = process.getOutputStream();
    }

    /** Waits for a text after what was waited for before. */
    String expect(String text) throws IOException {
      byte[] buffer = new byte[8192];
      while (true) {
        int at = said.indexOf(text, read);
        if (at >= 0) {
          String before = said.substring(read, at);
          read = at + text.length();
          return before;
        }
        int n = out.read(buffer);
        if (n < 0) {
          throw new IOException("the guest has ended; it said last: " + said);
        }
        said.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
      }
    }

    /** What a command of the shell prints. */
    String run(String command) throws IOException {
      String marker = "<done" + ++markers + ">";
      // In two parts, so that the echo of the line is not taken for it.
      in.write(
          (command + "; status=$?; echo '<do''ne'" + markers + "'>'\n")
              .getBytes(StandardCharsets.US_ASCII));
      in.flush();
      return expect(marker);
    }

    double processorSeconds() {
      return process.info().totalCpuDuration().orElseThrow().toNanos() / 1e9;
    }

    Time time(Work work) throws IOException {
      long began = System.nanoTime();
      double processor = processorSeconds();
      work.run();
      return new Time((System.nanoTime() - began) / 1e9, processorSeconds() - processor);
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  /** Times both sides and prints a table. */
  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : DEFAULT_ROUNDS;
    List<String> sides = new ArrayList<>(List.of(OURS));
    if (hasQemu()) {
      sides.add(TCG);
    } else {
      System.out.println(QEMU + " is not on the path (Debian: apt-get install qemu-system-x86)");
    }
    Optional<Path> programs = GuestCache.locate().programs();
    if (programs.isEmpty()) {
      System.out.println("there is no guest with programs (guests/fetch programs)");
    }
    Map<String, Map<String, List<Time>>> times = new LinkedHashMap<>();
    Map<String, String> results = new LinkedHashMap<>();
    for (int round = 1; round <= rounds; round++) {
      for (String side : sides) {
        System.out.printf("round %d of %d: %s%n", round, rounds, side);
        Path initrd = GuestCache.locate().initrd().orElseThrow(Tcg::nothingFetched);
        Time boot = round(side, initrd, WORK, times, results);
        note(times, BOOT, side, boot);
        if (programs.isPresent()) {
          round(side, programs.get(), PROGRAMS, times, results);
        }
      }
    }
    print(sides, times);
  }

  /** Has one side do some work in a guest of its own; gives the time of the guest's boot. */
  private static Time round(
      String name,
      Path initrd,
      Map<String, String> works,
      Map<String, Map<String, List<Time>>> times,
      Map<String, String> results)
      throws IOException {
    long began = System.nanoTime();
    try (Side side = new Side(name.equals(OURS) ? vmm4j(initrd) : qemu(initrd))) {
      side.expect(PROMPT);
      Time boot = new Time((System.nanoTime() - began) / 1e9, side.processorSeconds());
      side.run("stty -echo");
      for (Map.Entry<String, String> work : works.entrySet()) {
        for (int i = 0; i < WARM_RUNS; i++) {
          side.run(work.getValue());
        }
        String[] printed = {""};
        note(
            times,
            work.getKey(),
            name,
            side.time(() -> printed[0] = side.run(work.getValue()).strip()));
        if (!side.run("echo $status").strip().matches("(.*\\D)?0")) {
          throw new IllegalStateException(work.getKey() + " failed on " + name + ": " + printed[0]);
        }
        String before = results.putIfAbsent(work.getKey(), printed[0]);
        if (before != null && !before.equals(printed[0])) {
          throw new IllegalStateException(
              "%s on %s: '%s' instead of '%s'".formatted(work.getKey(), name, printed[0], before));
        }
      }
      return boot;
    }
  }

  private static void note(
      Map<String, Map<String, List<Time>>> times, String work, String side, Time time) {
    times
        .computeIfAbsent(work, w -> new LinkedHashMap<>())
        .computeIfAbsent(side, s -> new ArrayList<>())
        .add(time);
  }

  private static void print(List<String> sides, Map<String, Map<String, List<Time>>> times) {
    System.out.printf("%-12s", "seconds");
    for (String side : sides) {
      System.out.printf("%10s wall %10s cpu", side, side);
    }
    System.out.println(sides.size() > 1 ? "   TCG by vmm4j, cpu" : "");
    double product = 1;
    int count = 0;
    for (Map.Entry<String, Map<String, List<Time>>> work : times.entrySet()) {
      System.out.printf("%-12s", work.getKey());
      List<Double> processor = new ArrayList<>();
      for (String side : sides) {
        List<Time> measured = work.getValue().get(side);
        double wall = median(measured.stream().mapToDouble(Time::wall).toArray());
        processor.add(median(measured.stream().mapToDouble(Time::processor).toArray()));
        System.out.printf("%15.2f %14.2f", wall, processor.getLast());
      }
      if (processor.size() > 1) {
        double speed = processor.get(1) / processor.get(0);
        System.out.printf("   %.3f", speed);
        if (!work.getKey().equals(BOOT)) {
          product *= speed;
          count++;
        }
      }
      System.out.println();
    }
    if (count > 0) {
      System.out.printf("geometric mean without the boot: %.3f%n", Math.pow(product, 1.0 / count));
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  // ---- the commands ----

  private static List<String> vmm4j(Path initrd) {
    return List.of(
        launcher().toString(),
        "run",
        "--backend",
        "software",
        "--memory",
        "512M",
        "--kernel",
        kernel(),
        "--initrd",
        initrd.toString(),
        "--append",
        "console=ttyS0 panic=-1");
  }

  private static boolean hasQemu() {
    return Arrays.stream(System.getenv("PATH").split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, QEMU)));
  }

  private static List<String> qemu(Path initrd) {
    return List.of(
        QEMU,
        "-accel",
        "tcg",
        "-cpu",
        "Nehalem",
        "-m",
        "512M",
        "-nodefaults",
        "-display",
        "none",
        "-serial",
        "stdio",
        "-no-reboot",
        "-kernel",
        kernel(),
        "-initrd",
        initrd.toString(),
        "-append",
        "console=ttyS0 panic=-1");
  }

  /** The checkout's command line. */
  private static Path launcher() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isExecutable(at.resolve("vmm"))) {
        return at.resolve("vmm");
      }
    }
    throw new IllegalStateException("./vmm is not here: run this in the checkout");
  }

  private static String kernel() {
    return GuestCache.locate().kernel().orElseThrow(Tcg::nothingFetched).toString();
  }

  private static IllegalStateException nothingFetched() {
    return new IllegalStateException("run guests/fetch first");
  }
}
