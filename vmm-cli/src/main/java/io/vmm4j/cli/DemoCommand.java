package io.vmm4j.cli;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import io.vmm4j.guests.GuestWork;
import io.vmm4j.snapshot.AtomicFileWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Shows what the library is for, from boot to a second JVM. */
@picocli.CommandLine.Command(
    name = "demo",
    header = "Boot Linux, save it at work, and go on in a second JVM.",
    description = {
      "%nBoots an unmodified Debian kernel with busybox, lets it compute a chain of checksums, saves"
          + " it in the middle, ends it, and restores it from the file in a second JVM. Every line the"
          + " guest prints, before and after, is compared with what the host computes.",
      "%nThe guest is fetched by guests/fetch.%n"
    },
    footer = {"%nExit codes: 0 all results right, 22 a result is wrong, else see vmm --help."})
final class DemoCommand extends Command {
  private static final String PROMPT = "vmm4j:/root# ";
  private static final int MEBIBYTES = GuestWork.DEFAULT_MEBIBYTES;

  @Option(
      names = "--backend",
      paramLabel = "auto|software|kvm",
      converter = MachineOptions.Choice.class,
      description = "What runs the guest (default: software).")
  BackendChoice backend = Backends.software();

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = MachineOptions.Time.class,
      description = "How long each step may take (default: 5m).")
  Duration patience = Duration.ofMinutes(5);

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = RunCommand.Size.class,
      description = "RAM (default: 512M).")
  MemorySize memory = MemorySize.mebibytes(512);

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How many checksums, half of them before the snapshot (default: 12).")
  int rounds = 12;

  @Option(
      names = "--keep",
      paramLabel = "FILE",
      description = "Keep the snapshot in this file, for ./vmm restore and ./vmm inspect.")
  @Nullable Path keep;

  @Override
  public Integer call() throws Exception {
    if (rounds < 2) {
      throw new UsageException("--rounds: " + rounds + " is not 2 or more");
    }
    MachineOptions.check(backend);
    if (keep != null) {
      AtomicFileWriter.check(keep);
    }
    Instant start = Launcher.started();
    List<String> expected = GuestWork.lines(rounds, MEBIBYTES);
    Path file = keep != null ? keep : Files.createTempFile("vmm4j-demo-", ".vmm");
    try {
      String before = untilSaved(file, start);
      String after = goOn(file);
      return verdict(expected, before, after);
    } finally {
      if (keep == null) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** The first JVM: boots, begins the work, saves in the middle, ends the machine. */
  private String untilSaved(Path file, Instant start) throws IOException {
    try (Vm vm = Vm.create(spec())) {
      say("1. boot %s", vm.backend().name() + " backend: " + vm.backend().reason());
      Console console = vm.console(Session.SERIAL);
      Instant created = Instant.now();
      vm.resume();
      messages().progress("booting Linux");
      console.expect("vmm4j guest ready", patience);
      console.expect(PROMPT, patience);
      messages().endProgress();
      say(
          "   shell prompt %s after the command (processor time %s),"
              + " %s after the guest's first instruction",
          since(start), processorTime(), since(created));

      say(
          "2. run 'work %d %d' in the guest: %d checksums of %d MiB",
          rounds, MEBIBYTES, rounds, MEBIBYTES);
      console.sendLine("work %d %d".formatted(rounds, MEBIBYTES));
      Instant working = Instant.now();
      messages().progress("the guest works");
      String half = console.expect(workLine(rounds / 2), patience).text();
      messages().endProgress();
      say("   %s (after %s)", half, since(working));

      Instant saving = Instant.now();
      vm.pause();
      String before = console.transcript();
      try (Snapshot snapshot = vm.snapshot()) {
        Duration captured = Duration.between(saving, Instant.now());
        snapshot.writeTo(file);
        say(
            "3. snapshot of the %s guest in the middle of it: %s (captured in %s), %s in %s",
            memory, since(saving), Durations.seconds(captured), Sizes.text(Files.size(file)), file);
      }
      return before;
    }
  }

  private VmSpec spec() throws IOException {
    GuestCache cache = GuestCache.locate();
    Path kernel = required(cache.kernel(), "Debian kernel", cache);
    Path initrd = required(cache.initrd(), "initramfs", cache);
    DeviceConfig serial = Uart.com1();
    return VmSpec.builder("demo")
        .backend(backend)
        .memory(memory)
        .boot(LinuxBoot.kernel(kernel).initrd(initrd).commandLine("console=ttyS0 panic=-1"))
        .device(Session.SERIAL, serial)
        .build();
  }

  private static Path required(java.util.Optional<Path> file, String what, GuestCache cache)
      throws IOException {
    return file.orElseThrow(() ->
        new IOException(
            "the %s is not in %s: run guests/fetch".formatted(what, cache.directory())));
  }

  private static Pattern workLine(int round) {
    return Pattern.compile("work " + round + " [0-9a-f]{32}");
  }

  /** The second JVM: restores the file, reads what the guest goes on to print, switches it off. */
  private String goOn(Path file) throws IOException, InterruptedException {
    say("4. restore it in a second JVM");
    Instant start = Instant.now();
    List<String> command =
        Launcher.command(
            "restore",
            file.toString(),
            "--backend",
            backend.name(),
            "--timeout",
            patience.toMillis() + "ms");
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      ByteArrayOutputStream output = new ByteArrayOutputStream();
      byte[] buffer = new byte[4096];
      boolean off = false;
      for (int n = process.getInputStream().read(buffer);
          n >= 0;
          n = process.getInputStream().read(buffer)) {
        if (output.size() == 0) {
          say("   first output of the guest %s after the command", since(start));
        }
        output.write(buffer, 0, n);
        if (!off && output.toString(StandardCharsets.UTF_8).contains(PROMPT)) {
          off = true;
          process.getOutputStream().write("poweroff -f\n".getBytes(StandardCharsets.UTF_8));
          process.getOutputStream().flush();
        }
      }
      int code = process.waitFor();
      String after = output.toString(StandardCharsets.UTF_8);
      say("   process %d ended with exit code %d after %s", process.pid(), code, since(start));
      if (code != ExitCode.OK) {
        throw new IOException(
            "the second JVM ended with exit code %d; the guest's last words: %s"
                .formatted(code, after.substring(Math.max(0, after.length() - 500))));
      }
      return after;
    } finally {
      process.destroy();
    }
  }

  private int verdict(List<String> expected, String before, String after) throws IOException {
    List<String> found = GuestWork.linesIn(before + after);
    List<String> first = GuestWork.linesIn(before);
    if (found.equals(expected)) {
      say(
          "5. all %d checksums are right: %d from the first JVM, %d from the second",
          found.size(), first.size(), found.size() - first.size());
      return ExitCode.OK;
    }
    for (int i = 0; i < Math.max(found.size(), expected.size()); i++) {
      String should = i < expected.size() ? expected.get(i) : "nothing";
      String is = i < found.size() ? found.get(i) : "nothing";
      if (!is.equals(should)) {
        messages().say("WRONG: line %d is \"%s\", not \"%s\"".formatted(i + 1, is, should));
      }
    }
    return ExitCode.WRONG_RESULT;
  }

  private static String processorTime() {
    return ProcessHandle.current()
        .info()
        .totalCpuDuration()
        .map(Durations::seconds)
        .orElse("unknown");
  }

  private static String since(Instant start) {
    return Durations.seconds(Duration.between(start, Instant.now()));
  }

  private void say(String format, Object... arguments) throws IOException {
    messages().endProgress();
    streams().print(format.formatted(arguments) + "\n");
  }
}
