package io.vmm4j.devices.virtioconsole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.channel.ConsolePorts;
import io.vmm4j.api.channel.GuestChannel;
import io.vmm4j.api.channel.GuestChannelException;
import io.vmm4j.api.channel.GuestChannelException.Reason;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A console of the virtio kind with a port named agent. */
@Timeout(20)
class VirtioConsoleTest {
  private static final int NEEDS_RESET = 64;
  private static final int OPEN = 6;

  private final TestMachine machine =
      PciMachine.bus()
          .device(
              VirtioDriver.PATH, new VirtioConsoleFactory(), VirtioConsoleConfig.withPorts("agent"))
          .build();
  private final ConsolePorts ports = machine.vm().device(VirtioDriver.PATH, ConsolePorts.class);

  @AfterEach
  void close() {
    machine.close();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private GuestChannel open(ConsoleDriver driver) {
    CompletableFuture<GuestChannel> opening =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return ports.open("agent", Duration.ofMinutes(1));
              } catch (IOException e) {
                throw new CompletionException(e);
              }
            },
            task -> Thread.ofVirtual().start(task));
    assertThat(driver.awaitMessages(1)).containsExactly("1 6 1");
    driver.message(1, OPEN, 1);
    return opening.join();
  }

  private static String read(GuestChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(100);
    channel.read(buffer);
    return new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theConsoleTalksBothWays(boolean packed) {
    ConsoleDriver driver = new ConsoleDriver(machine, packed);
    for (int i = 0; i < 20; i++) { // several times round the ring
      assertThat(driver.send(1, ascii("out "))).isTrue();
      driver.give(0);
      assertThat(driver.take(0)).isEmpty();
      machine.send("in " + i);
      assertThat(driver.take(0)).isEqualTo(ascii("in " + i));
    }
    assertThat(machine.output()).isEqualTo("out ".repeat(20));
    machine.send("typed before there was a buffer");
    driver.give(0);
    assertThat(driver.take(0)).isEqualTo(ascii("typed before there was a buffer"));
    driver.queue(0).storeRegister(0x2008, 4, '!');
    assertThat(machine.output()).as("an emergency").endsWith("!");
  }

  @Test
  void portsAreAddedAndNamed() {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    assertThat(driver.queue(0).configuration(4, 4)).isEqualTo(2);
    assertThat(driver.begin(4))
        .containsExactly("0 1 1", "1 1 1", "0 4 1", "0 5 1 80x25", "0 6 1", "1 7 1 agent");
    assertThat(ports.names()).containsExactly("agent");
  }

  @Test
  void theTerminalIsResized() {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    driver.begin(4);
    ports.resize(132, 50);
    assertThat(driver.awaitMessages(1)).containsExactly("0 5 1 132x50");
    assertThat(driver.queue(0).configuration(0, 4)).isEqualTo(50 << 16 | 132);
    assertThat(driver.queue(0).interruptStatus() & 2).as("of the configuration").isEqualTo(2);
    assertThatThrownBy(() -> ports.resize(-1, 1)).hasMessageContaining("columns");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aPortTalksBothWaysUntilTheGuestCloses(boolean packed) throws IOException {
    ConsoleDriver driver = new ConsoleDriver(machine, packed);
    driver.begin(4);
    assertThat(driver.send(5, ascii("nobody hears"))).isTrue();
    GuestChannel channel = open(driver);
    assertThatThrownBy(() -> ports.open("agent", Duration.ZERO)).hasMessageContaining("in use");
    for (int i = 0; i < 20; i++) {
      assertThat(driver.send(5, ascii("to the host " + i))).isTrue();
      assertThat(read(channel)).isEqualTo("to the host " + i);
      driver.give(4);
      channel.write(ByteBuffer.wrap(ascii("to the guest " + i)));
      assertThat(driver.take(4)).isEqualTo(ascii("to the guest " + i));
    }
    driver.send(5, ascii("last words"));
    driver.message(1, OPEN, 0);
    assertThat(read(channel)).isEqualTo("last words");
    assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1)))
        .isInstanceOf(GuestChannelException.class)
        .hasMessageContaining("closed the port");
    assertThat(driver.awaitMessages(1)).containsExactly("1 6 0");
    open(driver).close();
    assertThat(driver.awaitMessages(1)).containsExactly("1 6 0");
  }

  @Test
  void whatTheProgramHasWrittenIsSentBeforeItsCloseIs() throws IOException {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    driver.begin(4);
    GuestChannel channel = open(driver);
    channel.write(ByteBuffer.wrap(ascii("all of it")));
    channel.close();
    driver.give(2);
    assertThat(driver.take(2)).as("not closed yet").isEmpty();
    driver.give(4);
    assertThat(driver.take(4)).isEqualTo(ascii("all of it"));
    assertThat(driver.awaitMessages(1)).containsExactly("1 6 0");
  }

  @Test
  void theGuestWaitsForRoom() throws IOException {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    driver.begin(4);
    GuestChannel channel = open(driver);
    int taken = 0;
    while (driver.send(5, new byte[1 << 15])) {
      taken++;
    }
    assertThat(taken).isEqualTo(5);
    ByteBuffer all = ByteBuffer.allocate(6 << 15);
    while (all.position() < 5 << 15) {
      channel.read(all);
    }
    machine.runTasks();
    channel.read(all);
    assertThat(all.hasRemaining()).isFalse();
  }

  @Test
  void aPortThatTheGuestDoesNotOpenIsGivenUp() {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    driver.begin(4);
    assertThatThrownBy(() -> ports.open("agent", Duration.ZERO))
        .isInstanceOf(ConnectException.class);
    machine.runTasks();
    open(driver).close();
    assertThatThrownBy(() -> ports.open("nobody", Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("agent");
  }

  @Test
  void aRestoreClosesPortsOnBothSides() {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    driver.begin(4);
    GuestChannel channel = open(driver);
    machine.become(machine);
    assertThatThrownBy(() -> read(channel))
        .isInstanceOf(GuestChannelException.class)
        .extracting(e -> ((GuestChannelException) e).reason())
        .isEqualTo(Reason.RESTORED);
    assertThat(driver.awaitMessages(1)).containsExactly("1 6 0");
  }

  @Test
  void whatMakesNoSenseHarmsNobody() {
    ConsoleDriver driver = new ConsoleDriver(machine, false);
    driver.message(7, 3, 1);
    driver.message(-2, 6, 1);
    driver.message(0, 99, 1);
    assertThat(driver.begin(4)).hasSize(6);
    driver.send(3, new byte[7]);
    assertThat(driver.queue(0).status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    driver = new ConsoleDriver(machine, false);
    driver.queue(5).submit(new Buffer(0x10_0000, (128 << 10) + 1, 0));
    assertThat(driver.queue(0).status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    driver = new ConsoleDriver(machine, false);
    driver.queue(2).submit(new Buffer(0x10_0000, 7, VirtioDriver.WRITE));
    driver.message(-1, 0, 1);
    assertThat(driver.queue(0).status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    assertThat(machine.exits()).isEmpty();
    assertThatThrownBy(() -> VirtioConsoleConfig.withPorts("a", "a")).hasMessageContaining("twice");
    assertThatThrownBy(() -> VirtioConsoleConfig.withPorts("a b")).hasMessageContaining("a b");
    assertThatThrownBy(
            () -> new VirtioConsoleConfig(List.of("a b".repeat(17).split(""))).ports().size())
        .hasMessageContaining("more than 16");
  }
}
