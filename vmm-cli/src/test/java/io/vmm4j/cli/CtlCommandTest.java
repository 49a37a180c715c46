package io.vmm4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.control.ControlClient;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One command line runs a machine, others control it. */
@Timeout(1200)
class CtlCommandTest {
  /**
   * Sends back what COM1 receives.
   *
   * <pre>
   * next: mov dx, 0x3FD
   * wait: in al, dx
   *       test al, 1
   *       jz wait
   *       mov dx, 0x3F8
   *       in al, dx
   *       out dx, al
   *       jmp next
   * </pre>
   */
  private static final String ECHO = "bafd03 ec a801 74fb baf803 ec ee ebf1";

  @TempDir private Path directory;
  private String socket = "";
  private Path ready = Path.of("");
  private Path disk = Path.of("");

  /** What a command line has said, and its exit code. */
  private record Ran(int exitCode, byte[] out, String err) {
    String text() {
      return new String(out, StandardCharsets.UTF_8);
    }
  }

  private static Ran vmm(InputStream in, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    int exitCode = new Main(new Streams(in, out, errors, false, false)).execute(args);
    return new Ran(exitCode, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
  }

  private Ran ctl(String... args) {
    String[] all = new String[args.length + 2];
    all[0] = "ctl";
    all[1] = socket;
    System.arraycopy(args, 0, all, 2, args.length);
    return vmm(InputStream.nullInputStream(), all);
  }

  @BeforeEach
  void saveAMachine() throws IOException {
    socket = directory.resolve("control").toString();
    ready = directory.resolve("ready.vmm");
    Path image = directory.resolve("guest.bin");
    Files.write(image, HexFormat.of().parseHex(ECHO.replace(" ", "")));
    disk = Files.write(directory.resolve("disk"), "sector".repeat(256).getBytes(UTF_8));
    VmSpec spec =
        VmSpec.builder("echo")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(2))
            .boot(new BootSource.FlatRealMode(image, 0x10000))
            .device("com1", UartConfig.DEFAULT)
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:03.0", new VirtioBlockConfig(disk.toString()))
            .build();
    try (Vm vm = Vm.create(spec);
        Snapshot snapshot = vm.snapshot()) {
      snapshot.writeTo(ready);
    }
  }

  /** A machine that a failed test has left. */
  @AfterEach
  void endTheMachine() {
    if (!socket.isEmpty() && Files.exists(Path.of(socket))) {
      ctl("stop");
    }
  }

  private static <T> CompletableFuture<T> inAThread(Supplier<T> task) {
    return CompletableFuture.supplyAsync(task, run -> Thread.ofPlatform().daemon().start(run));
  }

  /** Runs the saved machine; returns when it can be controlled. */
  private CompletableFuture<Ran> restore(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("restore", ready.toString(), "--backend", "software", "--control", socket));
    args.addAll(List.of(more));
    CompletableFuture<Ran> machine =
        inAThread(() -> vmm(InputStream.nullInputStream(), args.toArray(String[]::new)));
    while (!Files.exists(Path.of(socket)) && !machine.isDone()) {
      Thread.onSpinWait();
    }
    return machine;
  }

  @Test
  void aMachineIsLookedAtPausedAndStopped() throws Exception {
    CompletableFuture<Ran> machine = restore();

    assertThat(ctl("status").text()).contains("\"state\" : \"running\"", "\"name\" : \"echo\"");
    Ran paused = ctl("pause");
    assertThat(paused.exitCode()).as(paused.err()).isZero();
    assertThat(paused.text()).isEmpty();
    assertThat(ctl("status").text()).contains("\"state\" : \"paused\"");
    assertThat(ctl("dump").text()).contains("\"rip\" : \"0x");
    assertThat(ctl("dump", "--address", "0x10000", "--length", "4").text())
        .contains("\"bytes\" : \"bafd03ec\"");
    assertThat(ctl("resume").exitCode()).isZero();
    assertThat(ctl("stop").exitCode()).isZero();

    assertThat(machine.get().exitCode()).isEqualTo(ExitCode.ENDED_BY_USER);
    assertThat(Path.of(socket)).doesNotExist();
  }

  @Test
  void aDiskIsExported() throws Exception {
    CompletableFuture<Ran> machine = restore();
    Path exported = directory.resolve("exported");

    Ran done = ctl("disk", "export", "pci/00:03.0", exported.toString());
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(exported).hasSameBinaryContentAs(disk);
    String[] qcow2 = {"disk", "export", "pci/00:03.0", exported.toString(), "--format", "qcow2"};
    assertThat(ctl(qcow2).exitCode()).isZero();
    assertThat(Files.readAllBytes(exported)).startsWith('Q', 'F', 'I', 0xFB);
    assertThat(ctl("disk", "resize", "pci/00:03.0", "1M").text()).contains("1048576");
    assertThat(ctl("disk", "export", "com1", exported.toString()).err())
        .contains("no disk at 'com1'");

    ctl("stop");
    machine.get();
    assertThat(ctl("disk", "export", "pci/00:03.0").err()).contains("disk export PATH FILE");
    assertThat(ctl("disk", "export", "pci/00:03.0", "-").err()).contains("standard output");
    assertThat(ctl("snapshot", "a", "b").err()).contains("takes no 'b'");
    assertThat(ctl("status", "--format", "raw").err()).contains("belongs to ctl disk");
  }

  @Test
  void aDiskThatHasChangedIsRefusedUnlessItIsAccepted() throws Exception {
    Files.write(disk, "others".repeat(256).getBytes(UTF_8));

    Ran refused = restore().get();
    assertThat(refused.exitCode()).isEqualTo(12);
    assertThat(refused.err()).contains("pci/00:03.0", disk.toString(), "its contents are others");

    CompletableFuture<Ran> machine = restore("--accept-changed-disks");
    assertThat(ctl("status").text()).contains("running");
    ctl("stop");
    machine.get();
  }

  @Test
  void aMachineStaysPausedUntilItIsResumed() throws Exception {
    CompletableFuture<Ran> machine = restore("--paused");

    assertThat(ctl("status").text()).contains("\"state\" : \"paused\"");
    assertThat(ctl("resume").exitCode()).isZero();
    assertThat(ctl("status").text()).contains("\"state\" : \"running\"");
    ctl("stop");

    assertThat(machine.get().err()).contains("the machine is paused: ./vmm ctl " + socket);
    Ran alone = vmm(InputStream.nullInputStream(), "restore", ready.toString(), "--paused");
    assertThat(alone.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(alone.err()).contains("--paused needs --control SOCKET or --gdb PORT|PATH");
  }

  @Test
  void aSuspendedMachineGoesOnElsewhere() throws Exception {
    CompletableFuture<Ran> machine = restore();
    Path saved = directory.resolve("saved.vmm");

    assertThat(ctl("snapshot", saved.toString(), "--suspend").text()).contains(saved.toString());

    assertThat(machine.get().exitCode()).isZero();
    assertThat(machine.get().err()).contains("saved and ended through the control socket");
    try (Snapshot snapshot = Snapshot.read(saved)) {
      assertThat(snapshot.spec().name()).isEqualTo("echo");
    }
  }

  @Test
  void aSnapshotGoesToStandardOutputAndBackIntoTheMachine() throws Exception {
    CompletableFuture<Ran> machine = restore();

    Ran saved = ctl("snapshot", "-");
    assertThat(saved.exitCode()).as(saved.err()).isZero();
    try (Snapshot snapshot = Snapshot.read(new ByteArrayInputStream(saved.out()))) {
      assertThat(snapshot.spec().name()).isEqualTo("echo");
    }
    assertThat(ctl("restore", ready.toString()).exitCode()).isZero();

    ctl("stop");
    machine.get();
  }

  @Test
  void aFailureIsToldAndTheMachineGoesOn() throws Exception {
    CompletableFuture<Ran> machine = restore();

    Ran refused = ctl("snapshot", directory.resolve("no/s.vmm").toString(), "--suspend");
    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(refused.err()).contains("no/s.vmm: there is no such directory");
    assertThat(ctl("fly").err()).contains("no command 'fly'; there are status");
    assertThat(ctl("status").text()).contains("running");

    ctl("stop");
    machine.get();
  }

  @Test
  void aConsoleCarriesBothDirectionsUntilTheMachineEnds() throws Exception {
    CompletableFuture<Ran> machine = restore();
    PipedOutputStream typed = new PipedOutputStream();
    PipedInputStream input = new PipedInputStream(typed);
    PipedInputStream screen = new PipedInputStream();
    PipedOutputStream shown = new PipedOutputStream(screen);
    Streams streams = new Streams(input, shown, System.err, false, false);
    CompletableFuture<Integer> console =
        inAThread(() -> new Main(streams).execute("ctl", socket, "console"));

    typed.write("hello".getBytes(StandardCharsets.US_ASCII));
    typed.flush();
    assertThat(screen.readNBytes(5)).asString().isEqualTo("hello");

    ctl("stop");
    assertThat(console.get()).isZero();
    assertThat(machine.get().text()).isEqualTo("hello");
  }

  /** As {@code echo hello | ./vmm ctl SOCKET console}. */
  @Test
  void aConsoleEndsWithItsInput() throws Exception {
    CompletableFuture<Ran> machine = restore();
    ByteArrayInputStream hello =
        new ByteArrayInputStream("hello".getBytes(StandardCharsets.US_ASCII));

    assertThat(vmm(hello, "ctl", socket, "console").exitCode()).isZero();

    // then the guest has it all, which is what it sends back
    try (ControlClient client = ControlClient.connect(Path.of(socket))) {
      assertThat(client.console("com1").output().readNBytes(5)).asString().isEqualTo("hello");
    }
    ctl("stop");
    assertThat(machine.get().text()).isEqualTo("hello");
  }

  @Test
  void aSocketThatNobodyCouldReachIsRefused() throws IOException {
    String tooLong = directory.resolve("s".repeat(106 - directory.toString().length())).toString();

    Ran refused =
        vmm(InputStream.nullInputStream(), "restore", ready.toString(), "--control", tooLong);

    assertThat(refused.exitCode()).isEqualTo(ExitCode.FILE);
    assertThat(refused.err())
        .contains(tooLong, "its path is 107 bytes long, and a socket's may be 106 at most");
    assertThat(Path.of(tooLong)).doesNotExist();
  }

  @Test
  void aFileThatIsNoSocketIsSaidToBeNone() {
    socket = ready.toString();

    assertThat(ctl("status"))
        .satisfies(ran -> assertThat(ran.exitCode()).isEqualTo(ExitCode.FILE))
        .satisfies(ran -> assertThat(ran.err()).contains(socket, "which is no socket"));
    socket = directory.toString();
    assertThat(ctl("status").err()).contains(socket, "which is no socket");
    socket = ""; // no machine is there to be ended
  }

  @Test
  void aSocketInUseIsRefusedAndOneThatIsNotThereIsNamed() throws Exception {
    assertThat(ctl("status"))
        .satisfies(ran -> assertThat(ran.exitCode()).isEqualTo(ExitCode.FILE))
        .satisfies(ran -> assertThat(ran.err()).contains(socket, "there is no such socket"));
    CompletableFuture<Ran> machine = restore();

    Ran second =
        vmm(InputStream.nullInputStream(), "restore", ready.toString(), "--control", socket);

    assertThat(second.exitCode()).isEqualTo(ExitCode.FILE);
    assertThat(second.err()).contains("another machine listens there");
    ctl("stop");
    machine.get();
  }
}
