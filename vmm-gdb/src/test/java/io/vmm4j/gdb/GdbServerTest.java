package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmState;
import io.vmm4j.gdb.protocol.FrameReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The protocol over a real socket, and what it does to a machine. */
@Timeout(1200)
class GdbServerTest {
  @TempDir private Path directory;

  private Vm vm;
  private GdbServer server;

  @BeforeEach
  void open() {
    vm = Vm.create(Guest.spec(directory));
    server = GdbServer.open(vm, GdbServer.loopback(0));
  }

  @AfterEach
  void close() {
    server.close();
    vm.close();
  }

  private RspClient client() throws IOException {
    return new RspClient(server.address());
  }

  private static String monitor(RspClient gdb, String line) throws IOException {
    String reply =
        gdb.ask("qRcmd," + HexFormat.of().formatHex(line.getBytes(StandardCharsets.UTF_8)));
    return new String(HexFormat.of().parseHex(reply), StandardCharsets.UTF_8);
  }

  /** Waits until the server has seen that its debugger is gone. */
  private RspClient nextClient() throws IOException {
    while (true) {
      RspClient next = client();
      next.send("qC");
      int first = next.read();
      if (first == '+' && !next.receive().startsWith("E.another debugger")) {
        return next;
      }
      next.close();
    }
  }

  private long rip(RspClient gdb) throws IOException {
    return Long.reverseBytes(Long.parseUnsignedLong(gdb.ask("p10"), 16));
  }

  @Test
  void breakpointsStepsAndWatchpoints() throws IOException {
    try (RspClient gdb = client()) {
      assertThat(gdb.ask("qSupported:swbreak+;hwbreak+"))
          .contains("PacketSize=4000", "QStartNoAckMode+", "qXfer:features:read+");
      assertThat(gdb.ask("?")).isEqualTo("T05thread:1;");
      assertThat(rip(gdb)).isZero();
      assertThat(gdb.ask("m10000,4")).isEqualTo("31c08ed8");

      assertThat(gdb.ask("Z0,10016,1")).isEqualTo("OK");
      assertThat(gdb.ask("vCont;c")).isEqualTo("T05swbreak:;thread:1;");
      assertThat(rip(gdb)).isEqualTo(Guest.ADD);
      assertThat(gdb.ask("m10016,1")).isEqualTo("01"); // its memory is as it was
      assertThat(gdb.ask("z0,10016,1")).isEqualTo("OK");
      assertThat(gdb.ask("Z1,10009,1")).isEqualTo("OK");
      assertThat(gdb.ask("c")).isEqualTo("T05hwbreak:;thread:1;");
      assertThat(rip(gdb)).isEqualTo(Guest.NEXT);
      assertThat(gdb.ask("z1,10009,1")).isEqualTo("OK");

      assertThat(gdb.ask("vCont;s:1;c")).isEqualTo("T05thread:1;");
      assertThat(rip(gdb)).isEqualTo(Guest.CALL);
      assertThat(gdb.ask("s")).isEqualTo("T05thread:1;");
      assertThat(rip(gdb)).isEqualTo(Guest.FUNCTION);

      assertThat(gdb.ask("Z2,500,2")).isEqualTo("OK");
      assertThat(gdb.ask("c")).isEqualTo("T05watch:500;thread:1;");
      assertThat(rip(gdb)).isEqualTo(Guest.CALL);
      assertThat(gdb.ask("z2,500,2")).isEqualTo("OK");
      assertThat(gdb.ask("Z3,501,1")).isEqualTo("OK");
      assertThat(gdb.ask("c")).isEqualTo("T05rwatch:501;thread:1;");
      assertThat(rip(gdb)).isEqualTo(Guest.ADD);
      assertThat(gdb.ask("z3,501,1")).isEqualTo("OK");
      assertThat(gdb.ask("Z4,500,1")).isEqualTo("OK");
      assertThat(gdb.ask("c")).isEqualTo("T05awatch:500;thread:1;");
    }
  }

  @Test
  void registersAreReadAndWritten() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      // rcx, with all others left
      String all = gdb.ask("g");
      assertThat(gdb.ask("P2=efbeadde00000000")).isEqualTo("OK");
      assertThat(gdb.ask("p2")).isEqualTo("efbeadde00000000");
      assertThat(vm.cpuState(0).gpr()[1]).isEqualTo(0xdeadbeefL);
      assertThat(gdb.ask("G" + all)).isEqualTo("OK");
      assertThat(gdb.ask("g")).isEqualTo(all);
      // xmm1, st0, mxcsr's reserved bits, control registers
      String vector = "000102030405060708090a0b0c0d0e0f";
      assertThat(gdb.ask("P29=" + vector)).isEqualTo("OK");
      assertThat(gdb.ask("p29")).isEqualTo(vector);
      assertThat(gdb.ask("P18=00000000000000c00040")).isEqualTo("OK");
      assertThat(gdb.ask("p18")).isEqualTo("00000000000000c00040");
      assertThat(gdb.ask("P38=ffffffff")).isEqualTo("OK");
      assertThat(gdb.ask("p38")).isEqualTo("ffff0000");
      assertThat(gdb.ask("P3c=0000000000000000")).isEqualTo("E16");
      assertThat(gdb.ask("P39=0010000000000000")).isEqualTo("OK");
      assertThat(vm.cpuState(0).fs().base()).isEqualTo(0x1000);
      // nonsense
      assertThat(gdb.ask("pffff")).isEqualTo("E16");
      assertThat(gdb.ask("P2=ef")).isEqualTo("E16");
      assertThat(gdb.ask("Gabcd")).isEqualTo("E16");
    }
  }

  @Test
  void memoryIsReadAsFarAsItGoesAndWritten() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      assertThat(gdb.ask("M600,3:010203")).isEqualTo("OK");
      assertThat(gdb.ask("X603,2:}\3}\4")).isEqualTo("E16"); // escaped twice: 2 bytes are 4
      gdb.write(
          new String(
              FrameReader.frame("X603,2:#$".getBytes(StandardCharsets.ISO_8859_1)),
              StandardCharsets.ISO_8859_1));
      assertThat(gdb.receive()).isEqualTo("OK");
      assertThat(gdb.ask("m600,5")).isEqualTo("0102032324");
      assertThat(gdb.ask("m1ffffe,10")).isEqualTo("0000");
      assertThat(gdb.ask("m200000,10")).isEqualTo("E0e");
      assertThat(gdb.ask("M1fffff,2:0000")).isEqualTo("E0e");
      assertThat(gdb.ask("m0,7fffffff")).hasSizeLessThan(0x4000).hasSizeGreaterThan(0x3000);
    }
  }

  @Test
  void anInterruptStopsItAndADetachLetsItGoOn() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      gdb.send("c");
      gdb.write("\3");
      assertThat(gdb.receive()).isEqualTo("T02thread:1;");
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
      assertThat(gdb.ask("Z0,10016,1")).isEqualTo("OK");
      assertThat(gdb.ask("D")).isEqualTo("OK");
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      assertThat(vm.debugger().breakpoints()).isEmpty();
    }
  }

  @Test
  void whoVanishesLeavesNothingBehind() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      gdb.ask("Z0,10016,1");
      gdb.ask("c");
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
    }
    try (RspClient next = nextClient()) {
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      assertThat(vm.debugger().breakpoints()).isEmpty();
      assertThat(next.ask("?")).isEqualTo("T05thread:1;");
    }
  }

  @Test
  void threadsAreVcpus() throws IOException {
    try (RspClient gdb = client()) {
      assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m1");
      assertThat(gdb.ask("qsThreadInfo")).isEqualTo("l");
      assertThat(gdb.ask("qC")).isEqualTo("QC1");
      assertThat(gdb.ask("T1")).isEqualTo("OK");
      assertThat(gdb.ask("T2")).isEqualTo("E16");
      assertThat(gdb.ask("Hg1")).isEqualTo("OK");
      assertThat(gdb.ask("Hg0")).isEqualTo("OK");
      assertThat(gdb.ask("Hg7")).isEqualTo("E16");
      assertThat(HexFormat.of().parseHex(gdb.ask("qThreadExtraInfo,1")))
          .asString()
          .isEqualTo("vCPU 0 [running]");
    }
  }

  @Test
  void theEndIsTold() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      assertThat(gdb.ask("M510,1:07")).isEqualTo("OK");
      assertThat(gdb.ask("c")).isEqualTo("W07");
      assertThat(gdb.ask("c")).isEqualTo("W07");
      assertThat(gdb.ask("?")).isEqualTo("W07");
    }
  }

  @Test
  void aKillEndsTheMachine() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      gdb.send("k");
      assertThat(vm.awaitExit(Duration.ofMinutes(10))).isEqualTo(new VmExit.Stopped());
    }
  }

  @Test
  void monitorCommands() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      assertThat(monitor(gdb, "help")).contains("physical ADDR", "snapshot FILE", "reset");
      assertThat(monitor(gdb, "regs")).contains("rip", "cr3", "efer");
      assertThat(monitor(gdb, "physical 10000 4")).isEqualTo("0000000000010000: 31 c0 8e d8\n");
      assertThat(monitor(gdb, "physical 0x99999999")).contains("no such memory");
      assertThat(monitor(gdb, "translate 1234")).isEqualTo("0x1234\n");
      assertThat(monitor(gdb, "nonsense")).contains("no command 'nonsense'");

      // a snapshot holds where it stands, and no breakpoint
      gdb.ask("Z0,10016,1");
      gdb.ask("c");
      Path file = directory.resolve("there.vmm");
      assertThat(monitor(gdb, "snapshot " + file)).isEqualTo("saved " + file + "\n");
      try (Snapshot saved = Snapshot.read(file);
          Vm other = saved.load(Backends.software())) {
        assertThat(other.cpuState(0).rip()).isEqualTo(Guest.ADD);
        assertThat(other.debugger().breakpoints()).isEmpty();
      }
      assertThat(monitor(gdb, "snapshot /no/such/directory/x")).startsWith("not saved: ");

      assertThat(monitor(gdb, "reset")).contains("where it began");
      assertThat(rip(gdb)).isZero();
      assertThat(vm.memory().readShort(Guest.COUNT)).isZero();
    }
  }

  @Test
  void acknowledgementsAndTheirEnd() throws IOException {
    try (RspClient gdb = client()) {
      gdb.write("$qC#00");
      assertThat(gdb.read()).isEqualTo('-');
      gdb.send("qC");
      assertThat(gdb.read()).isEqualTo('+');
      assertThat(gdb.receive()).isEqualTo("QC1");
      gdb.write("-");
      assertThat(gdb.receive()).isEqualTo("QC1");
    }
  }

  @Test
  void withoutAcknowledgementsADamagedPacketIsTheEnd() throws IOException {
    try (RspClient gdb = client()) {
      assertThat(gdb.ask("QStartNoAckMode")).isEqualTo("OK");
      gdb.send("qC");
      assertThat(gdb.read()).isEqualTo('$');
      assertThat(gdb.read()).isEqualTo('Q');
      gdb.write("$qC#00");
      while (gdb.read() >= 0) {
        // what was under way
      }
    }
  }

  @Test
  void aSecondDebuggerIsTurnedAwayAndToldWhy() throws IOException {
    try (RspClient gdb = client();
        RspClient second = client()) {
      assertThat(gdb.ask("qC")).isEqualTo("QC1");
      assertThat(second.ask("qSupported:swbreak+"))
          .isEqualTo("E.another debugger is connected to this machine");
      assertThat(second.read()).isEqualTo(-1);
      assertThat(gdb.ask("qC")).isEqualTo("QC1");
    }
  }

  @Test
  void whoOnlyConnectsDoesNotDisturb() throws IOException {
    vm.resume();
    try (RspClient stranger = client()) {
      stranger.write("++\3\3\3");
      assertThat(stranger.ask("qC")).isEqualTo("QC1");
      assertThat(vm.state()).isEqualTo(new VmState.Running());
    }
    assertThat(vm.state()).isEqualTo(new VmState.Running());
  }

  @Test
  void aPacketWithoutAnEndEndsTheConnection() throws IOException {
    try (RspClient gdb = client()) {
      gdb.write("$" + "m".repeat(FrameReader.MOST_BYTES + 10));
      assertThat(gdb.read()).isEqualTo(-1);
    }
    try (RspClient next = nextClient()) {
      assertThat(next.ask("?")).isEqualTo("T05thread:1;");
    }
  }

  @Test
  void breakpointsAreBounded() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      for (int i = 0; i < 1000; i++) {
        assertThat(gdb.ask("Z0,%x,1".formatted(0x40000 + i))).isEqualTo("OK");
      }
      assertThat(gdb.ask("Z0,50000,1")).isEqualTo("E1c");
      assertThat(gdb.ask("z0,40000,1")).isEqualTo("OK");
      assertThat(gdb.ask("Z0,50000,1")).isEqualTo("OK");
      assertThat(gdb.ask("z0,50000,1")).isEqualTo("OK");
      assertThat(gdb.ask("Z2,50000,7fffffff")).isEqualTo("E16");
    }
  }

  @Test
  void whateverADebuggerSendsTheMachineGoesOn() throws IOException {
    // given a machine that runs, and debuggers that send it the packets of others, damaged
    vm.resume();
    Random random = new Random(7);
    String[] packets = {
      "?",
      "g",
      "p10",
      "m0,10",
      "Z0,10016,1",
      "z0,10016,1",
      "c",
      "s",
      "vCont;s:1",
      "Hg1",
      "D",
      "G00",
      "P10=00",
      "qSupported:x",
      "qRcmd,72656773",
      "qXfer:features:read:target.xml:0,fff"
    };
    for (int i = 0; i < 40; i++) {
      try (RspClient gdb = nextClient()) {
        for (int k = 0; k < 30; k++) {
          StringBuilder packet = new StringBuilder(packets[random.nextInt(packets.length)]);
          if (random.nextInt(3) == 0) {
            packet.setCharAt(random.nextInt(packet.length()), (char) random.nextInt(256));
          }
          if (packet.indexOf("k") != 0 && packet.indexOf("vKill") != 0) {
            gdb.send(packet.toString());
          }
          if (random.nextInt(4) == 0) {
            // Between packets any other byte would end the connection.
            gdb.write(String.valueOf("+-\3$".charAt(random.nextInt(4))));
          }
        }
      } catch (IOException e) {
        assertThat(e).isNotNull(); // disconnected, as may be
      }
    }

    // then it does what it did
    try (RspClient last = nextClient()) {
      assertThat(vm.debugger().breakpoints()).isEmpty();
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      assertThat(last.ask("?")).isEqualTo("T05thread:1;");
    }
  }

  /** What a page in a browser on this computer can have sent to the port. */
  @Test
  void aRequestOfHttpIsNotObeyed() throws IOException {
    // given a packet that writes a file, and one that ends the machine, in the body of a request
    Path file = directory.resolve("stolen.vmm");
    String line = "snapshot " + file;
    byte[] monitor =
        ("qRcmd," + HexFormat.of().formatHex(line.getBytes(StandardCharsets.UTF_8)))
            .getBytes(StandardCharsets.US_ASCII);
    byte[] kill = "vKill;1".getBytes(StandardCharsets.US_ASCII);
    String body =
        new String(FrameReader.frame(monitor), StandardCharsets.US_ASCII)
            + new String(FrameReader.frame(kill), StandardCharsets.US_ASCII);
    String request =
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n";

    // when the body comes with the request, and again when it comes alone behind a legal byte
    for (String sent : new String[] {request + body, "\r\n" + body, "+ " + body}) {
      try (RspClient web = client()) {
        web.write(sent);
        int answer = web.read();
        // then
        assertThat(answer).as("the connection ends without an answer").isEqualTo(-1);
      }
    }
    try (RspClient gdb = nextClient()) {
      assertThat(gdb.ask("?")).isEqualTo("T05thread:1;");
    }
    assertThat(file).doesNotExist();
    assertThat(vm.state()).isNotInstanceOf(VmState.Ended.class);
  }

  @Test
  void closingTheServerLetsTheMachineGoOn() throws IOException {
    try (RspClient gdb = client()) {
      gdb.ask("?");
      gdb.ask("Z0,10016,1");
      gdb.ask("c");
      server.close();
      assertThat(gdb.read()).isEqualTo(-1);
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      assertThat(vm.debugger().breakpoints()).isEmpty();
      assertThat(Thread.getAllStackTraces().keySet())
          .noneMatch(thread -> thread.getName().startsWith("vmm-guest-gdb"));
    }
  }

  @Test
  void aUnixSocketIsOnlyForItsOwner() throws IOException {
    Path path = directory.resolve("gdb.sock");
    try (Vm other = Vm.create(Guest.spec(directory))) {
      try (GdbServer unix = GdbServer.open(other, UnixDomainSocketAddress.of(path));
          RspClient gdb = new RspClient(unix.address())) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
            .isEqualTo("rw-------");
        assertThat(gdb.ask("?")).isEqualTo("T05thread:1;");
        assertThatThrownBy(() -> GdbServer.open(vm, UnixDomainSocketAddress.of(path)))
            .isInstanceOf(GdbException.class)
            .hasMessageContaining("another server listens there");
      }
      assertThat(path).doesNotExist();
      try (var files = Files.list(directory)) {
        assertThat(files).containsExactly(directory.resolve("guest.bin"));
      }
    }
  }

  @Test
  void aSocketOfADeadProcessIsReplaced() throws IOException {
    // given
    Path path = directory.resolve("gdb.sock");
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(address);
    }
    assertThat(path).exists();

    // then
    try (GdbServer unix = GdbServer.open(vm, address);
        RspClient gdb = new RspClient(unix.address())) {
      assertThat(gdb.ask("?")).isEqualTo("T05thread:1;");
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void aDirectoryThatIsNotThereIsNamed() {
    Path path = directory.resolve("no/gdb.sock");
    assertThatThrownBy(() -> GdbServer.open(vm, UnixDomainSocketAddress.of(path)))
        .isInstanceOf(GdbException.class)
        .hasMessageContaining("there is no directory " + directory.resolve("no"));
  }

  @Test
  void onlyThisComputerMayConnect() {
    assertThatThrownBy(() -> GdbServer.open(vm, new InetSocketAddress("0.0.0.0", 0)))
        .isInstanceOf(GdbException.class)
        .hasMessageContaining("not of the loopback interface");
    assertThatThrownBy(() -> GdbServer.open(vm, server.address()))
        .isInstanceOf(GdbException.class)
        .hasMessageContaining("can't be opened");
  }
}
