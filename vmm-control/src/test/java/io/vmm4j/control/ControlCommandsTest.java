package io.vmm4j.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.api.network.UserNetwork;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtionet.VirtioNetConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every command, over a real socket, on a real machine. */
@Timeout(1200)
class ControlCommandsTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir private Path directory;
  private Path path;
  private Vm vm;
  private ControlServer server;
  private ControlClient client;

  @BeforeEach
  void start() throws IOException {
    path = directory.resolve("control");
    vm = Vm.start(Guests.spec(directory, Guests.COUNTER).build());
    vm.console("com1").expect(">", LONG);
    server = ControlServer.open(vm, path);
    client = ControlClient.connect(path);
  }

  @AfterEach
  void end() throws IOException {
    client.close();
    server.close();
    vm.close();
  }

  private String call(String command) throws IOException {
    return client.call(command, Map.of());
  }

  private int count() {
    return vm.memory().readInt(Guests.COUNT);
  }

  private void assertItRuns() {
    assertThat(vm.state()).isEqualTo(new VmState.Running());
    int before = count();
    while (count() == before) {
      Thread.onSpinWait();
    }
  }

  @Test
  void theServerGreetsWithItsVersionAndTheMachinesName() throws IOException {
    try (RawClient raw = new RawClient(path)) {
      assertThat(raw.line()).isEqualTo("{\"vmm4j-control\":1,\"machine\":\"guest\"}");
    }
    assertThat(client.machine()).isEqualTo("guest");
  }

  @Test
  void aReplyHasTheIdOfItsRequest() throws IOException {
    try (RawClient raw = RawClient.greeted(path)) {
      String done = ",\"ok\":true,\"result\":{}}";
      assertThat(raw.ask("{\"id\":7,\"command\":\"resume\"}")).isEqualTo("{\"id\":7" + done);
      assertThat(raw.ask("{\"command\":\"resume\",\"id\":\"é\"}"))
          .isEqualTo("{\"id\":\"\\u00E9\"" + done);
      assertThat(raw.ask("{\"command\":\"resume\"}\r")).isEqualTo("{\"id\":null" + done);
      assertThat(raw.ask("{\"id\":-1,\"command\":\"fly\"}"))
          .startsWith("{\"id\":-1,\"ok\":false,\"error\":{\"type\":\"unknown-command\",")
          .contains("no command 'fly'; there are status, pause");
    }
  }

  @Test
  void statusTellsWhatTheMachineIsAndDoes() throws IOException {
    assertThat(call("status"))
        .contains("\"name\" : \"guest\"", "\"state\" : \"running\"", "\"backend\" : \"software\"")
        .contains("\"cpus\" : 1", "\"memoryBytes\" : 2097152", "\"clock\" : \"real\"")
        .containsPattern("\"instructions\" : [1-9]")
        .containsPattern("\"portExits\" : [1-9]");
  }

  @Test
  void aDiskIsExportedWhileTheMachineRuns() throws IOException {
    byte[] contents = new byte[1 << 20];
    new Random(1).nextBytes(contents);
    Path disk = Files.write(directory.resolve("disk"), contents);
    Path other = directory.resolve("other");
    VmSpec spec =
        Guests.spec(directory, Guests.COUNTER)
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:03.0", new VirtioBlockConfig(disk.toString()))
            .build();
    Path exported = directory.resolve("exported");
    Vm withDisk = Vm.start(spec);
    ControlServer there = ControlServer.open(withDisk, other);
    try (withDisk;
        there;
        ControlClient asks = ControlClient.connect(other)) {
      Map<String, Object> export =
          Map.of("device", "pci/00:03.0", "file", exported.toString(), "format", "raw");
      assertThat(asks.call("disk-export", export))
          .contains(exported.toString(), "\"diskBytes\" : 1048576");
      assertThat(exported).hasBinaryContent(contents);
      Map<String, Object> resize = Map.of("device", "pci/00:03.0", "bytes", 2 << 20);
      assertThat(asks.call("disk-resize", resize)).contains("\"diskBytes\" : 2097152");
      assertThatThrownBy(
              () -> asks.call("disk-resize", Map.of("device", "pci/00:03.0", "bytes", 512)))
          .hasMessageContaining("can't shrink");
      assertThatThrownBy(
              () -> asks.call("disk-export", Map.of("device", "com1", "file", exported.toString())))
          .hasMessageContaining("no disk at 'com1'; the disks are [pci/00:03.0]");
      assertThatThrownBy(() ->
              asks.call(
                  "disk-export",
                  Map.of("device", "pci/00:03.0", "file", directory.resolve("no/x").toString())))
          .hasMessageContaining("no/x");
    }
  }

  @Test
  void aPortIsForwardedAndADeviceTakenAwayWhileTheMachineRuns() throws IOException {
    VmSpec spec =
        Guests.spec(directory, Guests.COUNTER)
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:03.0", new VirtioNetConfig("", 1500, "user", false, List.of()))
            .build();
    Path other = directory.resolve("other");
    Vm withNetwork = Vm.start(spec);
    ControlServer there = ControlServer.open(withNetwork, other);
    try (withNetwork;
        there;
        ControlClient asks = ControlClient.connect(other)) {
      // when
      assertThat(asks.call("forward", Map.of("hostPort", 0, "guestPort", 22)))
          .contains("\"device\" : \"pci/00:03.0\"", "\"guestPort\" : 22");

      // then
      PortForward forward =
          withNetwork.device("pci/00:03.0", UserNetwork.class).forwards().getFirst();
      assertThat(forward.guestPort()).isEqualTo(22);
      new Socket(InetAddress.getLoopbackAddress(), forward.hostPort()).close();
      assertThatThrownBy(
              () -> asks.call("forward", Map.of("hostPort", forward.hostPort(), "guestPort", 23)))
          .hasMessageContaining("host port " + forward.hostPort());
      assertThatThrownBy(() -> asks.call("forward", Map.of("hostPort", 0, "guestPort", 70_000)))
          .hasMessageContaining("guestPort");
      assertThatThrownBy(
              () -> asks.call("forward", Map.of("device", "com1", "hostPort", 0, "guestPort", 1)))
          .hasMessageContaining("no network in user mode at 'com1'; they are [pci/00:03.0]");

      // when
      assertThat(asks.call("detach", Map.of("device", "pci/00:03.0"))).isEqualTo("{ }");

      // then
      assertThat(withNetwork.devices(UserNetwork.class)).isEmpty();
      assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), forward.hostPort()))
          .isInstanceOf(ConnectException.class);
      assertThatThrownBy(() -> asks.call("detach", Map.of("device", "pci/00:03.0")))
          .hasMessageContaining("pci/00:03.0");
      assertThatThrownBy(() -> asks.call("forward", Map.of("hostPort", 0, "guestPort", 1)))
          .hasMessageContaining("has no network in user mode");
    }
  }

  @Test
  void aPausedMachineStandsUntilItIsResumed() throws IOException {
    // when
    call("pause");

    // then
    assertThat(call("status")).contains("\"state\" : \"paused\"");
    int count = count();
    call("pause");
    call("status");
    assertThat(count()).isEqualTo(count);

    // when
    call("resume");

    // then
    assertItRuns();
  }

  @Test
  void aSnapshotGoesToAFileWhileTheMachineGoesOn() throws IOException {
    // when
    Path file = directory.resolve("s.vmm");
    String result = client.call("snapshot", Map.of("file", file.toString()));

    // then
    assertThat(result).contains("\"bytes\" : " + Files.size(file), "\"file\" : \"" + file);
    assertItRuns();
    assertThat(server.suspended()).isFalse();
    try (Snapshot snapshot = Snapshot.read(file);
        Vm twin = snapshot.load(Backends.software())) {
      assertThat(result).contains(snapshot.id().toString());
      assertThat(twin.memory().readInt(Guests.COUNT)).isPositive();
    }
  }

  @Test
  void aSuspendedMachineHasEndedAndIsInTheFile() throws IOException {
    // when
    Path file = directory.resolve("s.vmm");
    client.call("snapshot", Map.of("file", file.toString(), "suspend", true));

    // then
    assertThat(vm.state()).isEqualTo(new VmState.Ended(new VmExit.Stopped()));
    assertThat(server.suspended()).isTrue();
    try (Snapshot snapshot = Snapshot.read(file);
        Vm twin = snapshot.resume(Backends.software())) {
      twin.console("com1").send("!");
      twin.console("com1").expect("!", LONG);
    }
  }

  @Test
  void whatSuspendSavesIsTheMachinesLastState() throws IOException {
    Path file = directory.resolve("s.vmm");
    client.call("snapshot", Map.of("file", file.toString(), "suspend", true));

    try (Snapshot snapshot = Snapshot.read(file);
        Vm twin = snapshot.load(Backends.software())) {
      assertThat(twin.memory().readInt(Guests.COUNT)).isEqualTo(count());
      assertThat(twin.cpuState(0).rip()).isEqualTo(vm.cpuState(0).rip());
    }
  }

  @Test
  void aFileThatCanNotBeWrittenIsAnErrorAndTheMachineGoesOn() throws IOException {
    for (boolean suspend : new boolean[] {false, true}) {
      Path file = directory.resolve("nowhere/s.vmm");
      assertThatThrownBy(
              () -> client.call("snapshot", Map.of("file", file.toString(), "suspend", suspend)))
          .isInstanceOfSatisfying(
              ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo("file"))
          .hasMessage("cannot write %s: there is no such directory", file);
      assertItRuns();
    }
    assertThat(server.suspended()).isFalse();
  }

  @Test
  void aDirectoryOrDeviceIsNoFileToSaveToOrRestoreFrom() throws IOException {
    for (String command : new String[] {"snapshot", "restore"}) {
      for (String file : new String[] {"/dev/null", directory.toString()}) {
        assertThatThrownBy(() -> client.call(command, Map.of("file", file)))
            .hasMessageContaining("it is no regular file");
      }
    }
    assertItRuns();
  }

  @Test
  void aSnapshotGoesToTheClient() throws IOException {
    // when
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    String result = client.snapshotTo(out);

    // then
    assertThat(result).contains("\"bytes\" : " + out.size());
    try (Snapshot snapshot = Snapshot.read(new ByteArrayInputStream(out.toByteArray()))) {
      assertThat(result).contains(snapshot.id().toString());
    }
    assertThat(call("status")).as("the next command").contains("running");
  }

  @Test
  void aPausedMachineIsTakenBackToASnapshot() throws IOException {
    // given
    Path file = directory.resolve("s.vmm");
    call("pause");
    client.call("snapshot", Map.of("file", file.toString()));
    int count = count();
    call("resume");
    assertItRuns();
    call("pause");
    assertThat(count()).isNotEqualTo(count);

    // when
    client.call("restore", Map.of("file", file.toString()));

    // then
    assertThat(count()).isEqualTo(count);
    assertThat(vm.state()).isEqualTo(new VmState.Paused());
    call("resume");
    assertItRuns();
  }

  @Test
  void whatIsNoWholeSnapshotIsNotRestoredAndTheMachineGoesOn() throws IOException {
    // given
    Path whole = directory.resolve("whole.vmm");
    client.call("snapshot", Map.of("file", whole.toString()));
    byte[] bytes = Files.readAllBytes(whole);
    Path cut = Files.write(directory.resolve("cut.vmm"), java.util.Arrays.copyOf(bytes, 2000));
    bytes[bytes.length / 2] ^= 1;
    Path damaged = Files.write(directory.resolve("damaged.vmm"), bytes);

    // then
    assertRefused(cut, "snapshot-truncated", "truncated snapshot");
    assertRefused(damaged, "snapshot-corrupt", "corrupt snapshot at offset");
    assertRefused(directory.resolve("none.vmm"), "file", "there is no such file");
    assertItRuns();
  }

  private void assertRefused(Path file, String type, String message) {
    assertThatThrownBy(() -> client.call("restore", Map.of("file", file.toString())))
        .isInstanceOfSatisfying(
            ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo(type))
        .hasMessageContaining(message);
  }

  @Test
  void aSnapshotOfAnotherMachineIsNotRestored() throws IOException {
    Path file = directory.resolve("other.vmm");
    try (Vm other =
            Vm.create(
                Guests.spec(directory, Guests.COUNTER)
                    .memory(io.vmm4j.api.MemorySize.mebibytes(4))
                    .build());
        Snapshot snapshot = other.snapshot()) {
      snapshot.writeTo(file);
    }

    assertRefused(file, "snapshot-incompatible", "memory");
    assertItRuns();
  }

  @Test
  void aConsoleIsAttachedWithWhatItSaidBefore() throws IOException {
    ControlClient.Console console = client.console("com1");

    assertThat(console.output().read()).isEqualTo('>');
    console.input().write("hello\n".getBytes(StandardCharsets.US_ASCII));
    assertThat(console.output().readNBytes(6)).asString().isEqualTo("hello\n");
  }

  @Test
  void inputMayFollowTheRequestForAConsoleAtOnce() throws IOException {
    try (RawClient raw = RawClient.greeted(path)) {
      assertThat(raw.ask("{\"command\":\"console\"}\nabc")).contains("\"ok\":true");
      assertThat(raw.in.readNBytes(4)).asString().isEqualTo(">abc");
    }
  }

  @Test
  void whereThereIsNoConsoleThoseThatThereAreAreNamed() {
    assertThatThrownBy(() -> client.console("com9"))
        .isInstanceOfSatisfying(
            ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo("unsupported"))
        .hasMessageContaining("no console 'com9'")
        .hasMessageContaining("com1");
  }

  @Test
  void aDumpShowsTheRegisters() throws IOException {
    call("pause");
    String dump = call("dump");

    CpuState cpu = vm.cpuState(0);
    assertThat(dump)
        .contains("\"rip\" : \"0x%x\"".formatted(cpu.rip()))
        .contains("\"rsp\" : \"0x%x\"".formatted(cpu.gpr()[4]))
        .contains("\"cr0\" : \"0x%x\"".formatted(cpu.cr0()))
        .contains("\"limit\" : \"0x%x\"".formatted(cpu.cs().limit()))
        .contains("\"0xc0000080\" : ");
  }

  @Test
  void aDumpShowsMemory() throws IOException {
    vm.memory().write(0x1000, new byte[] {1, 2, (byte) 0xFF});

    assertThat(client.call("dump", Map.of("address", 0x1000, "length", 3)))
        .contains("\"address\" : \"0x1000\"", "\"bytes\" : \"0102ff\"");
    assertThat(client.call("dump", Map.of("address", "0x1001", "length", "0x2")))
        .contains("\"bytes\" : \"02ff\"");
    assertThatThrownBy(
            () -> client.call("dump", Map.of("address", "0xffffffffffffffff", "length", 2)))
        .isInstanceOfSatisfying(
            ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo("no-memory"))
        .hasMessageContaining("0xffffffffffffffff");
  }

  @Test
  void powerOffAsksTheGuest() throws IOException {
    call("poweroff");

    assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.PoweredOff());
    assertThat(call("status")).contains("\"state\" : \"ended\"", "\"kind\" : \"powered-off\"");
  }

  @Test
  void aMachineWithoutAPowerButtonSaysSo() throws IOException {
    Path other = directory.resolve("other");
    try (Vm bare = Vm.create(Guests.spec(directory, Guests.COUNTER).board("none").build());
        ControlServer control = ControlServer.open(bare, other);
        ControlClient operator = ControlClient.connect(control.path())) {
      assertThatThrownBy(() -> operator.call("poweroff", Map.of()))
          .isInstanceOfSatisfying(
              ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo("unsupported"))
          .hasMessageContaining("no power button");
    }
  }

  @Test
  void stopEndsTheMachineAndTheServerGoesOnToSaySo() throws IOException {
    call("stop");

    assertThat(vm.state()).isEqualTo(new VmState.Ended(new VmExit.Stopped()));
    assertThat(call("status")).contains("\"kind\" : \"stopped\"");
    for (String command : new String[] {"pause", "resume", "poweroff"}) {
      assertThatThrownBy(() -> call(command))
          .isInstanceOfSatisfying(
              ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo("machine-ended"))
          .hasMessageContaining("the machine has ended");
    }
  }
}
