package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.control.ControlClient;
import io.vmm4j.devices.uart.UartConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process of the command line is ended while it writes a snapshot, by each of its ways. */
@Timeout(1200)
class KilledSaveTest {
  private static final int MEBIBYTES = 16;

  /**
   * Prints an {@code s} over and over: {@code mov dx, 0x3F8; l: mov al, 's'; out dx, al; jmp l}.
   */
  private static final String TALKER = "baf803 b073 ee ebfb";

  @TempDir private Path directory;
  private Path ready = Path.of("");
  private Path socket = Path.of("");
  private Path target = Path.of("");
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void saveAMachine() throws IOException {
    ready = directory.resolve("ready");
    socket = directory.resolve("socket");
    target = Files.createDirectory(directory.resolve("saves")).resolve("s.vmm");
    Path image = directory.resolve("guest.bin");
    Files.write(image, HexFormat.of().parseHex(TALKER.replace(" ", "")));
    VmSpec spec =
        VmSpec.builder("talker")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(MEBIBYTES + 2))
            .boot(new BootSource.FlatRealMode(image, 0x10000))
            .device("com1", UartConfig.DEFAULT)
            .build();
    byte[] noise = new byte[1 << 20]; // which takes long to pack
    Random random = new Random(1);
    try (Vm vm = Vm.create(spec)) {
      for (int i = 1; i <= MEBIBYTES; i++) {
        random.nextBytes(noise);
        vm.memory().write((long) i << 20, noise);
      }
      try (Snapshot snapshot = vm.snapshot()) {
        snapshot.writeTo(ready, SaveOptions.standard().packed(SnapshotCompression.NONE));
      }
    }
  }

  @AfterEach
  void endProcesses() {
    processes.forEach(Process::destroyForcibly);
  }

  private Process vmm(String... arguments) throws IOException {
    // A shell's background jobs ignore signals, and so would what they start.
    List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT,HUP,TERM"));
    command.addAll(Launcher.command(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    processes.add(process);
    return process;
  }

  private List<Path> temporary() throws IOException {
    try (Stream<Path> files = Files.list(target.getParent())) {
      return files.filter(file -> file.getFileName().toString().endsWith(".tmp")).toList();
    }
  }

  /**
   * A temporary file with bytes in it. An empty one may be the trial of {@code --save}'s path, made
   * before the machine is.
   */
  private boolean isBeingWritten() throws IOException {
    for (Path file : temporary()) {
      try {
        if (Files.size(file) > 0) {
          return true;
        }
      } catch (NoSuchFileException e) {
        continue; // removed or renamed since it was listed
      }
    }
    return false;
  }

  private static void signal(Process process, String name) throws Exception {
    Process kill =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start();
    assertThat(kill.waitFor()).isZero();
  }

  /** A process that writes a snapshot, stopped in the midst of it. */
  private interface Saving {
    Process begin() throws Exception;
  }

  /** Begins again where the save was done before the process could be stopped. */
  private Process stoppedInASave(Saving saving) throws Exception {
    while (true) {
      Process process = saving.begin();
      while (!isBeingWritten() && process.isAlive() && !Files.exists(target)) {
        Thread.onSpinWait();
      }
      if (process.isAlive()) {
        signal(process, "STOP");
        if (isBeingWritten()) {
          return process;
        }
      }
      process.destroyForcibly().waitFor();
      Files.deleteIfExists(target);
    }
  }

  private Process saveWhen() throws IOException {
    return vmm(
        "restore",
        ready.toString(),
        "--backend",
        "software",
        "--control",
        socket.toString(),
        "--save",
        target.toString(),
        "--save-when",
        "sss",
        "--compression",
        "small");
  }

  private Process ctlSnapshot() throws Exception {
    Process machine =
        vmm("restore", ready.toString(), "--backend", "software", "--control", socket.toString());
    while (machine.isAlive() && !isListening()) {
      Thread.onSpinWait();
    }
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try (ControlClient client = ControlClient.connect(socket)) {
            client.call("snapshot", Map.of("file", target.toString()));
          } catch (IOException | RuntimeException e) {
            return; // its server is killed
          }
        });
    return machine;
  }

  private boolean isListening() {
    try (ControlClient client = ControlClient.connect(socket)) {
      return !client.machine().isEmpty();
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  private void aSignalLeavesNothing(Saving saving) throws Exception {
    for (String signal : List.of("TERM", "INT", "HUP")) {
      Process process = stoppedInASave(saving);
      signal(process, signal);
      signal(process, "CONT");
      assertThat(process.waitFor()).isNotZero();

      assertThat(temporary()).as(signal).isEmpty();
      assertThat(target).as(signal).doesNotExist();
      assertThat(socket).as(signal).doesNotExist();
    }
  }

  private void theNextSaveRemovesWhatAKillLeaves(Saving saving) throws Exception {
    Process process = stoppedInASave(saving);
    process.destroyForcibly().waitFor();
    assertThat(temporary()).hasSize(1);
    assertThat(socket).exists();

    // a machine that is controlled at the same socket, and saved to the same file
    Process next =
        vmm(
            "restore",
            ready.toString(),
            "--backend",
            "software",
            "--paused",
            "--control",
            socket.toString());
    while (next.isAlive() && !isListening()) {
      Thread.onSpinWait();
    }
    try (ControlClient client = ControlClient.connect(socket)) {
      client.call("snapshot", Map.of("file", target.toString(), "suspend", true));
    }
    assertThat(next.waitFor()).isZero();
    assertThat(temporary()).isEmpty();
    assertThat(socket).doesNotExist();
    try (Snapshot snapshot = Snapshot.read(target)) {
      assertThat(snapshot.spec().name()).isEqualTo("talker");
    }
  }

  @Test
  void aSignalDuringSaveLeavesNothing() throws Exception {
    aSignalLeavesNothing(this::saveWhen);
  }

  @Test
  void aSignalDuringCtlSnapshotLeavesNothing() throws Exception {
    aSignalLeavesNothing(this::ctlSnapshot);
  }

  @Test
  void theNextSaveRemovesWhatAKillDuringSaveLeaves() throws Exception {
    theNextSaveRemovesWhatAKillLeaves(this::saveWhen);
  }

  @Test
  void theNextSaveRemovesWhatAKillDuringCtlSnapshotLeaves() throws Exception {
    theNextSaveRemovesWhatAKillLeaves(this::ctlSnapshot);
  }
}
