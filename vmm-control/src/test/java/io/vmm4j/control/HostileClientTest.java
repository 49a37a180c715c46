package io.vmm4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import io.vmm4j.socket.ListeningLoop;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that do not keep to the protocol: bounded, and the machine goes on. */
@Timeout(1200)
class HostileClientTest {
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final String STATUS = "{\"command\":\"status\"}";

  @TempDir private Path directory;
  private Vm vm;
  private ControlServer server;

  private void start(String guest, ControlLimits limits) {
    vm = Vm.start(Guests.spec(directory, guest).build());
    server = ControlServer.open(vm, directory.resolve("control"), limits);
  }

  private static ControlLimits limits(
      int connections, int perSecond, Duration line, Duration idle, Duration write) {
    return new ControlLimits(
        connections, perSecond, 1024, 1 << 16, 1 << 16, 1 << 16, 1 << 12, line, idle, write);
  }

  private static ControlLimits patient() {
    return limits(16, 100_000, LONG, LONG, LONG);
  }

  /** The server answers others, the machine runs, and nothing has failed. */
  @AfterEach
  void theMachineHasNotNoticed() throws IOException {
    try {
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      long before = vm.metrics().instructions();
      while (vm.metrics().instructions() == before) {
        Thread.onSpinWait();
      }
      try (RawClient other = greetedOnceThereIsRoom()) {
        assertThat(other.ask(STATUS)).contains("\"ok\":true", "\"state\":\"running\"");
      }
    } finally {
      server.close();
      vm.close();
    }
  }

  private RawClient client() throws IOException {
    return RawClient.greeted(server.path());
  }

  private RawClient greetedOnceThereIsRoom() throws IOException {
    while (true) {
      RawClient client = new RawClient(server.path());
      if (client.line().startsWith("{\"vmm4j-control\"")) {
        return client;
      }
      client.close();
    }
  }

  @Test
  void garbageIsAnsweredLineByLine() throws IOException {
    start(Guests.COUNTER, patient());
    try (RawClient client = client()) {
      for (String line : List.of("", " [[[[[", "{\"command\":", "{\"a\":[[[[[", "{\u0000\u0001}")) {
        assertThat(client.ask(line)).contains("\"id\":null,\"ok\":false", "\"malformed\"");
      }
      assertThat(client.ask(STATUS)).contains("\"ok\":true");
    }
  }

  @Test
  void aClientOfAnotherProtocolIsDisconnected() throws IOException {
    // given a request of ours in the body of one of HTTP, as a web page can have it sent
    start(Guests.COUNTER, patient());
    String body = "{\"command\":\"stop\"}\n";
    for (String other : List.of("POST / HTTP/1.1\r\n\r\n" + body, "[]\n" + body, "\0\n" + body)) {
      try (RawClient client = client()) {
        client.send(other);
        // then
        assertThat(client.line()).contains("\"malformed\"", "does not speak this protocol");
        assertThat(client.atEnd()).isTrue();
      }
    }
    assertThat(vm.state()).isEqualTo(new VmState.Running());
  }

  @Test
  void aLineThatIsTooLongEndsTheConnection() throws IOException {
    start(Guests.COUNTER, patient());
    try (RawClient client = client()) {
      assertThat(client.ask("{" + "x".repeat(1024))).contains("\"line-too-long\"", "1024 bytes");
      assertThat(client.atEnd()).isTrue();
    }
    try (RawClient endless = client()) {
      endless.sendUntilCut("{".repeat(4096).getBytes(StandardCharsets.US_ASCII));
      assertThat(endless.line()).contains("\"line-too-long\"");
      assertThat(endless.atEnd()).isTrue();
    }
  }

  @Test
  void aLineOfTheGreatestLengthIsRead() throws IOException {
    start(Guests.COUNTER, patient());
    try (RawClient client = client()) {
      assertThat(client.ask(STATUS + " ".repeat(1024 - STATUS.length()))).contains("\"ok\":true");
    }
  }

  @Test
  void aLineThatIsNotEndedEndsTheConnection() throws IOException {
    start(Guests.COUNTER, limits(16, 100_000, SHORT, LONG, LONG));
    try (RawClient client = client()) {
      client.send("{\"command\":");
      assertThat(client.line()).contains("\"line-timeout\"", "within 100 ms");
      assertThat(client.atEnd()).isTrue();
    }
  }

  @Test
  void aLineThatTricklesInIsNotWaitedForLonger() throws IOException {
    start(Guests.COUNTER, limits(16, 100_000, SHORT, LONG, LONG));
    try (RawClient client = client()) {
      // A byte at a time, without end: were each byte to begin the time anew, this would not end.
      Thread trickle =
          Thread.startVirtualThread(() -> {
            byte[] blank = {' '};
            for (int i = 0; i < 1000; i++) {
              try {
                client.out.write(blank);
                Thread.sleep(1);
              } catch (IOException | InterruptedException e) {
                return;
              }
            }
          });
      assertThat(client.line()).containsAnyOf("\"line-timeout\"", "\"line-too-long\"");
      trickle.interrupt();
    }
  }

  @Test
  void aClientThatSaysNothingIsDisconnectedInTheEnd() throws IOException {
    start(Guests.COUNTER, limits(16, 100_000, LONG, SHORT, LONG));
    try (RawClient client = client()) {
      assertThat(client.line()).contains("\"idle-timeout\"");
      assertThat(client.atEnd()).isTrue();
    }
  }

  @Test
  void aClientThatGoesInTheMiddleOfALineIsForgotten() throws IOException {
    start(Guests.COUNTER, patient());
    for (int i = 0; i < 100; i++) {
      RawClient client = greetedOnceThereIsRoom();
      client.send("{\"command\":\"sta");
      client.close();
    }
  }

  @Test
  void whatWasAskedBeforeTheEndOfInputIsAnswered() throws IOException {
    start(Guests.COUNTER, patient());
    try (RawClient client = client()) {
      client.send(STATUS + "\n" + STATUS + "\n{\"comm");
      client.channel.shutdownOutput();
      assertThat(client.line()).contains("\"ok\":true");
      assertThat(client.line()).contains("\"ok\":true");
      assertThat(client.atEnd()).isTrue();
    }
  }

  @Test
  void aFloodIsAnsweredInOrder() throws Exception {
    start(Guests.COUNTER, patient());
    int requests = 2000;
    try (RawClient client = client()) {
      Thread flood =
          Thread.startVirtualThread(() -> {
            try {
              for (int i = 0; i < requests; i++) {
                client.send("{\"id\":%d,\"command\":\"resume\"}\n".formatted(i));
              }
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          });
      for (int i = 0; i < requests; i++) {
        assertThat(client.line()).startsWith("{\"id\":" + i + ",\"ok\":true");
      }
      flood.join();
    }
  }

  @Test
  void aClientThatNeverReadsItsRepliesIsDisconnected() throws IOException {
    start(Guests.COUNTER, limits(16, 100_000, LONG, LONG, SHORT));
    try (RawClient client = client()) {
      client.sendUntilCut(
          "{\"command\":\"dump\",\"address\":0,\"length\":65536}\n"
              .repeat(100)
              .getBytes(StandardCharsets.US_ASCII));
    }
  }

  @Test
  void aClientThatNeverReadsItsSnapshotIsDisconnectedAndTheNextOneGetsIts() throws IOException {
    // given a snapshot that does not fit into the socket's buffers
    start(Guests.COUNTER, limits(16, 100_000, LONG, LONG, SHORT));
    byte[] noise = new byte[1 << 20];
    new Random(1).nextBytes(noise);
    vm.memory().write(0x80000, noise, 0, 0x20000);
    vm.memory().write(0x100000, noise);

    // when
    try (RawClient client = client()) {
      client.sendUntilCut("{\"command\":\"snapshot\",\"stream\":true}\n".getBytes());
    }

    // then, once the server has noticed too
    assertThat(firstSnapshotThatIsNotRefusedAsBusy()).contains("\"bytes\"");
  }

  private String firstSnapshotThatIsNotRefusedAsBusy() throws IOException {
    while (true) {
      try (ControlClient next = ControlClient.connect(server.path())) {
        return next.snapshotTo(OutputStream.nullOutputStream());
      } catch (ControlException.Refused e) {
        assertThat(e.type()).isEqualTo("busy");
      }
    }
  }

  @Test
  void aConsoleThatIsNotReadIsDetached() throws IOException {
    start(Guests.CHATTERBOX, patient());
    try (RawClient client = client()) {
      client.sendUntilCut("{\"command\":\"console\"}\n".getBytes());
    }
  }

  @Test
  void inputThatTheGuestDoesNotReadStaysWithTheClient() throws Exception {
    start(Guests.CHATTERBOX, patient());
    try (RawClient client = client()) {
      client.ask("{\"command\":\"console\"}");
      Thread reader =
          Thread.startVirtualThread(() -> {
            while (!client.atEnd()) {
              // The output has to be taken for the connection to live.
            }
          });
      Thread writer = Thread.startVirtualThread(() -> client.sendUntilCut(new byte[8192]));
      int bound = server.limits().consoleInputBytes() + ListeningLoop.READ_BYTES;
      while (vm.console("com1").pendingInputBytes() < server.limits().consoleInputBytes()) {
        Thread.onSpinWait();
      }
      try (RawClient other = client()) {
        for (int i = 0; i < 500; i++) {
          other.ask(STATUS);
          assertThat(vm.console("com1").pendingInputBytes()).isLessThanOrEqualTo(bound);
        }
      }
      client.channel.close();
      writer.join();
      reader.join();
    }
  }

  @Test
  void connectionsBeyondTheLimitAreToldSo() throws IOException {
    start(Guests.COUNTER, limits(3, 100_000, LONG, LONG, LONG));
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      clients.add(client());
    }
    for (int i = 0; i < 50; i++) {
      try (RawClient superfluous = new RawClient(server.path())) {
        assertThat(superfluous.line()).contains("\"too-many-connections\"", "3 connections");
        assertThat(superfluous.atEnd()).isTrue();
      }
    }
    assertThat(clients.getFirst().ask(STATUS)).contains("\"ok\":true");
    for (RawClient client : clients) {
      client.close();
    }
  }

  @Test
  void noBytesBreakTheServer() throws IOException {
    start(Guests.COUNTER, limits(16, 100_000, SHORT, LONG, SHORT));
    Random random = new Random(8);
    String alphabet = "{}[]\",:\\ \n\n\n\u0000eE+-.0123456789aidcommandstatus\u00e9\u2028";
    for (int i = 0; i < 300; i++) {
      try (RawClient client = greetedOnceThereIsRoom()) {
        byte[] bytes = new byte[random.nextInt(3000)];
        if (i % 2 == 0) {
          random.nextBytes(bytes);
        } else {
          StringBuilder text = new StringBuilder();
          while (text.length() < bytes.length) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
          }
          bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        }
        try {
          client.out.write(bytes);
          client.channel.shutdownOutput();
          while (true) {
            assertThat(client.line()).contains("\"ok\":false").doesNotContain("\"internal\"");
          }
        } catch (IOException e) {
          // The connection has ended, as it must after the end of input.
        }
      }
    }
  }
}
