package io.vmm4j.devices.virtiovsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.channel.GuestChannelException;
import io.vmm4j.api.channel.GuestChannelException.Reason;
import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.api.vsock.VsockChannel;
import io.vmm4j.api.vsock.VsockListener;
import io.vmm4j.api.vsock.VsockRequest;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.devices.virtiovsock.VsockDriver.Packet;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Virtio sockets, of a driver that errs or means harm too. */
@Timeout(20)
class VirtioVsockTest {
  private static final int REQUEST = 1;
  private static final int RESPONSE = 2;
  private static final int RESET = 3;
  private static final int SHUTDOWN = 4;
  private static final int DATA = 5;
  private static final int CREDIT_UPDATE = 6;
  private static final int CREDIT_REQUEST = 7;
  private static final int NEEDS_RESET = 64;
  private static final byte[] NONE = {};

  private final TestMachine machine = machine();
  private final Vsock vsock = vsock(machine);

  private static TestMachine machine() {
    return PciMachine.bus()
        .device(VirtioDriver.PATH, new VirtioVsockFactory(), VirtioVsockConfig.DEFAULT)
        .build();
  }

  private static Vsock vsock(TestMachine machine) {
    return machine.vm().device(VirtioDriver.PATH, Vsock.class);
  }

  private VsockDriver driver(boolean packed) {
    return new VsockDriver(machine, packed).withBuffers();
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  private static byte[] read(VsockChannel channel, int most) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(most);
    channel.read(buffer);
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  /** A connection that the guest has made, to port 5000 of the host. */
  private VsockChannel fromGuest(VsockDriver driver, long guestPort) throws IOException {
    try (VsockListener listener = vsock.listen(5000)) {
      driver.send(5000, guestPort, REQUEST);
      assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESPONSE);
      return listener.accept(Duration.ofSeconds(10));
    }
  }

  /** A connection that the host has made, to port 80 of the guest. */
  private VsockChannel toGuest(VsockDriver driver) {
    CompletableFuture<VsockChannel> connecting = connecting(80);
    Packet request = driver.awaitNext();
    assertThat(request.operation()).isEqualTo(REQUEST);
    assertThat(request.guestPort()).isEqualTo(80);
    driver.send(request.hostPort(), 80, RESPONSE);
    return connecting.join();
  }

  private CompletableFuture<VsockChannel> connecting(long port) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return vsock.connect(port, Duration.ofMinutes(1));
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        task -> Thread.ofVirtual().start(task));
  }

  @Test
  void itSaysTheGuestsContextIdentifier() {
    assertThat(driver(false).receiving.configuration(0, 8)).isEqualTo(3);
    assertThat(vsock.guestCid()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theGuestConnectsAndBothSend(boolean packed) throws IOException {
    VsockDriver driver = driver(packed);
    VsockChannel channel = fromGuest(driver, 1234);
    assertThat(channel.hostPort()).isEqualTo(5000);
    assertThat(channel.guestPort()).isEqualTo(1234);
    for (int i = 1; i <= 30; i++) { // several times round the rings
      driver.send(5000, 1234, DATA, 0, bytes(i));
      assertThat(read(channel, 100)).isEqualTo(bytes(i));
      channel.write(ByteBuffer.wrap(bytes(100 + i)));
      Packet packet = driver.next().orElseThrow();
      assertThat(packet.operation()).isEqualTo(DATA);
      assertThat(packet.hostPort()).isEqualTo(5000);
      assertThat(packet.guestPort()).isEqualTo(1234);
      assertThat(packet.payload()).isEqualTo(bytes(100 + i));
    }
    assertThat(driver.receiving.interruptStatus()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theHostConnectsAndBothSend(boolean packed) throws IOException {
    VsockDriver driver = driver(packed);
    VsockChannel channel = toGuest(driver);
    channel.write(ByteBuffer.wrap(bytes(10)));
    assertThat(driver.next().orElseThrow().payload()).isEqualTo(bytes(10));
    driver.send(channel.hostPort(), 80, DATA, 0, bytes(20));
    assertThat(read(channel, 100)).isEqualTo(bytes(20));
  }

  @Test
  void whoIsNotThereIsRefused() {
    VsockDriver driver = driver(false);
    driver.send(5000, 1, REQUEST);
    Packet refusal = driver.next().orElseThrow();
    assertThat(refusal.operation()).isEqualTo(RESET);
    assertThat(refusal.hostPort()).isEqualTo(5000);
    assertThat(refusal.guestPort()).isEqualTo(1);
    CompletableFuture<VsockChannel> connecting = connecting(81);
    driver.send(driver.awaitNext().hostPort(), 81, RESET);
    assertThatThrownBy(connecting::join)
        .hasCauseInstanceOf(ConnectException.class)
        .hasMessageContaining("refuses");
    driver.send(5000, 1, DATA, 0, bytes(1));
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESET);
    driver.send(5000, 1, RESET);
    assertThat(driver.next()).as("no answer to a reset").isEmpty();
  }

  @Test
  void withoutADriverNobodyIsReached() {
    CompletableFuture<VsockChannel> connecting = connecting(80);
    while (!connecting.isDone() && !Thread.interrupted()) {
      machine.runTasks();
    }
    assertThatThrownBy(connecting::join).hasMessageContaining("no driver");
  }

  @Test
  void aGuestThatDoesNotAnswerIsGivenUp() {
    VsockDriver driver = driver(false);
    assertThatThrownBy(() -> vsock.connect(80, Duration.ZERO))
        .isInstanceOf(ConnectException.class)
        .hasMessageContaining("does not answer");
    assertThat(driver.next()).as("it was given up before the guest was asked").isEmpty();
    Thread asking =
        Thread.ofVirtual()
            .start(() ->
                assertThatThrownBy(() -> vsock.connect(80, Duration.ofMinutes(1)))
                    .isInstanceOf(IOException.class));
    assertThat(driver.awaitNext().operation()).isEqualTo(REQUEST);
    asking.interrupt();
    assertThat(driver.awaitNext().operation()).isEqualTo(RESET);
  }

  @Test
  void aPortHasOneListener() throws Exception {
    try (VsockListener listener = vsock.listen(7)) {
      assertThat(listener.port()).isEqualTo(7);
      assertThatThrownBy(() -> vsock.listen(7)).isInstanceOf(BindException.class);
      assertThatThrownBy(() -> listener.accept(Duration.ZERO))
          .isInstanceOf(SocketTimeoutException.class);
    }
    vsock.listen(7).close();
    assertThatThrownBy(() -> vsock.listen(1L << 32)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void connectionsThatNobodyAcceptsHaveABound() throws IOException {
    VsockDriver driver = driver(false);
    try (VsockListener listener = vsock.listen(5000)) {
      int accepted = 0;
      for (int port = 0; port < 200; port++) {
        driver.send(5000, port, REQUEST);
        accepted += driver.next().orElseThrow().operation() == RESPONSE ? 1 : 0;
      }
      assertThat(accepted).isEqualTo(128);
      assertThat(listener.accept(Duration.ZERO).guestPort()).isZero();
    }
  }

  @Test
  void aHandlerDecidesAboutPortsWithoutListeners() throws Exception {
    VsockDriver driver = driver(false);
    List<VsockRequest> requests = new ArrayList<>();
    AutoCloseable handler = vsock.listenElsewhere(requests::add);
    driver.send(9, 1, REQUEST);
    driver.send(9, 2, REQUEST);
    assertThat(driver.next()).as("nobody has decided").isEmpty();
    assertThat(requests.get(1).hostPort()).isEqualTo(9);
    assertThat(requests.get(1).guestPort()).isEqualTo(2);
    requests.get(0).refuse();
    VsockChannel channel = requests.get(1).accept();
    channel.write(ByteBuffer.wrap(bytes(3)));
    Packet refusal = driver.next().orElseThrow();
    assertThat(refusal.operation()).isEqualTo(RESET);
    assertThat(refusal.guestPort()).isEqualTo(1);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESPONSE);
    assertThat(driver.next().orElseThrow().payload()).isEqualTo(bytes(3));
    handler.close();
    driver.send(9, 3, REQUEST);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESET);
  }

  @Test
  void thereAreHundredsOfConnectionsAndABound() throws Exception {
    VsockDriver driver = driver(false);
    List<VsockRequest> requests = new ArrayList<>();
    vsock.listenElsewhere(requests::add);
    List<VsockChannel> channels = new ArrayList<>();
    for (int port = 0; port < 1024; port++) {
      driver.send(9, port, REQUEST);
      channels.add(requests.getLast().accept());
      assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESPONSE);
    }
    driver.send(9, 2000, REQUEST);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESET);
    for (int port = 0; port < 1024; port++) {
      channels.get(port).write(ByteBuffer.wrap(new byte[] {(byte) port}));
    }
    for (int port = 0; port < 1024; port++) {
      Packet packet = driver.next().orElseThrow();
      assertThat(packet.payload()).containsExactly((byte) packet.guestPort());
    }
    // one that has said its last word makes room
    channels.get(5).close();
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(SHUTDOWN);
    driver.send(9, 2000, REQUEST);
    assertThat(driver.next().orElseThrow())
        .matches(p -> p.operation() == RESET && p.guestPort() == 5);
    requests.getLast().accept();
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESPONSE);
  }

  // ---- credit ----

  @Test
  void theHostSendsNoMoreThanTheGuestHasRoomFor() throws IOException {
    VsockDriver driver = driver(false);
    driver.allocated = 1000;
    VsockChannel channel = fromGuest(driver, 1);
    channel.write(ByteBuffer.wrap(bytes(3000)));
    assertThat(driver.next().orElseThrow().payload()).hasSize(1000);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(CREDIT_REQUEST);
    assertThat(driver.next()).as("it is asked for once").isEmpty();
    driver.forwarded = 400;
    driver.send(5000, 1, CREDIT_UPDATE);
    assertThat(driver.next().orElseThrow().payload()).hasSize(400);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(CREDIT_REQUEST);
    driver.forwarded = 1400;
    driver.allocated = 100_000;
    driver.send(5000, 1, CREDIT_UPDATE);
    assertThat(driver.next().orElseThrow().payload()).hasSize(1600);
  }

  @Test
  void aGuestThatLiesAboutItsRoomGetsNothing() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel channel = fromGuest(driver, 1);
    driver.forwarded = 77; // more than was ever sent
    driver.send(5000, 1, CREDIT_UPDATE);
    channel.write(ByteBuffer.wrap(bytes(10)));
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(CREDIT_REQUEST);
    assertThat(driver.next()).isEmpty();
    driver.forwarded = 0;
    driver.send(5000, 1, CREDIT_UPDATE);
    assertThat(driver.next().orElseThrow().payload()).hasSize(10);
  }

  @Test
  void theGuestIsToldOfRoomAndGetsNoMore() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel channel = fromGuest(driver, 1);
    driver.send(5000, 1, CREDIT_REQUEST);
    Packet update = driver.next().orElseThrow();
    assertThat(update.operation()).isEqualTo(CREDIT_UPDATE);
    int room = (int) update.allocated();
    assertThat(update.forwarded()).isZero();
    for (int sent = 0; sent < room; sent += 1 << 15) {
      driver.send(5000, 1, DATA, 0, bytes(1 << 15));
    }
    assertThat(driver.next()).isEmpty();
    assertThat(read(channel, 1 << 15)).hasSize(1 << 15);
    update = driver.next().orElseThrow();
    assertThat(update.operation()).isEqualTo(CREDIT_UPDATE);
    assertThat(update.forwarded()).isEqualTo(1 << 15);
    driver.send(5000, 1, DATA, 0, bytes((1 << 15) + 1));
    assertThat(driver.next().orElseThrow().operation()).as("a byte too many").isEqualTo(RESET);
    for (int left = 3; left > 0; left--) {
      read(channel, 1 << 15);
    }
    assertThatThrownBy(() -> read(channel, 1)).hasMessageContaining("more than there is room for");
  }

  // ---- ends ----

  @Test
  void eachHalfEndsByItself() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel channel = fromGuest(driver, 1);
    driver.send(5000, 1, DATA, 0, bytes(5));
    driver.send(5000, 1, SHUTDOWN, 2, NONE);
    assertThat(read(channel, 10)).hasSize(5);
    assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    channel.write(ByteBuffer.wrap(bytes(7)));
    assertThat(driver.next().orElseThrow().payload()).hasSize(7);
    channel.write(ByteBuffer.wrap(bytes(8)));
    channel.shutdownOutput();
    assertThat(driver.next().orElseThrow().payload()).hasSize(8);
    assertThat(driver.next().orElseThrow())
        .matches(p -> p.operation() == SHUTDOWN && p.flags() == 2);
    channel.close();
    assertThat(driver.next().orElseThrow())
        .matches(p -> p.operation() == SHUTDOWN && p.flags() == 3);
    driver.send(5000, 1, RESET);
    assertThat(driver.next()).isEmpty();
  }

  @Test
  void whenTheGuestClosesTheHostReadsToTheEnd() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel channel = fromGuest(driver, 1);
    driver.send(5000, 1, DATA, 0, bytes(5));
    driver.send(5000, 1, SHUTDOWN, 3, NONE);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESET);
    assertThat(read(channel, 10)).hasSize(5);
    assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1)))
        .isInstanceOf(GuestChannelException.class)
        .extracting(e -> ((GuestChannelException) e).reason())
        .isEqualTo(Reason.CLOSED_BY_GUEST);
  }

  @Test
  void aHostThatClosesTakesWhatTheGuestStillSends() throws IOException {
    VsockDriver driver = driver(false);
    driver.allocated = 4;
    VsockChannel channel = fromGuest(driver, 1);
    driver.send(5000, 1, DATA, 0, bytes(1 << 16));
    channel.write(ByteBuffer.wrap(bytes(8)));
    channel.close();
    assertThat(driver.next().orElseThrow().payload()).hasSize(4);
    driver.send(5000, 1, DATA, 0, bytes(1 << 16));
    Packet packet = driver.next().orElseThrow();
    while (packet.operation() == CREDIT_REQUEST || packet.operation() == CREDIT_UPDATE) {
      packet = driver.next().orElse(new Packet(0, 0, 0, 0, 0, 0, 2 << 16, NONE));
    }
    assertThat(packet.forwarded()).isEqualTo(2 << 16);
    driver.forwarded = 4;
    driver.send(5000, 1, CREDIT_UPDATE);
    assertThat(driver.next().orElseThrow().payload()).as("what was written").hasSize(4);
    assertThat(driver.next().orElseThrow().operation()).isEqualTo(SHUTDOWN);
  }

  @Test
  void aResetOfTheDeviceEndsConnections() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel channel = fromGuest(driver, 1);
    driver.receiving.status(0);
    assertThatThrownBy(() -> read(channel, 1))
        .isInstanceOf(GuestChannelException.class)
        .hasMessageContaining("reset");
    driver(false).send(5000, 1, DATA, 0, bytes(1));
  }

  @Test
  void aClosedMachineEndsConnectionsAndListeners() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel channel = fromGuest(driver, 1);
    VsockListener listener = vsock.listen(1);
    machine.close();
    assertThatThrownBy(() -> read(channel, 1)).hasMessageContaining("the machine is closed");
    assertThatThrownBy(() -> listener.accept(Duration.ofMinutes(1)))
        .isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(() -> vsock.listen(1)).hasMessageContaining("the machine is closed");
    assertThatThrownBy(() -> vsock.connect(1)).hasMessageContaining("the machine is closed");
  }

  // ---- snapshots ----

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRestoredGuestIsToldThatItsConnectionsAreGone(boolean packed) throws IOException {
    VsockDriver driver = driver(packed);
    driver.giveEventBuffer();
    VsockChannel channel = fromGuest(driver, 1);
    try (TestMachine twin = machine.twin()) {
      twin.runTasks();
      assertThat(twin.memory().readInt(0x9_0000)).as("the event").isZero();
      assertThat(twin.exits()).isEmpty();
    }
    assertThat(driver.event()).as("in the machine that was saved").isEmpty();
    channel.write(ByteBuffer.wrap(bytes(1)));
    assertThat(driver.next().orElseThrow().payload()).hasSize(1);

    machine.become(machine);
    driver.send(5000, 1, DATA, 0, bytes(1));
    assertThat(driver.next()).as("the guest has not acted upon the event").isEmpty();
    assertThat(driver.event()).contains(0);
    driver.giveEventBuffer();
    assertThat(driver.next().orElseThrow().operation()).as("a connection of old").isEqualTo(RESET);
    assertThatThrownBy(() -> read(channel, 1))
        .isInstanceOf(GuestChannelException.class)
        .extracting(e -> ((GuestChannelException) e).reason())
        .isEqualTo(Reason.RESTORED);
  }

  @Test
  void anEventWaitsForItsBuffer() throws IOException {
    VsockDriver driver = driver(false);
    fromGuest(driver, 1);
    machine.become(machine);
    machine.runTasks();
    machine.become(machine);
    machine.runTasks();
    assertThat(driver.event()).isEmpty();
    driver.giveEventBuffer();
    assertThat(driver.event()).contains(0);
  }

  @Test
  void aGuestWithoutConnectionsIsToldNothing() {
    VsockDriver driver = driver(false);
    driver.giveEventBuffer();
    machine.become(machine);
    machine.runTasks();
    assertThat(driver.event()).isEmpty();
  }

  // ---- harm ----

  @Test
  void aPacketWithoutHeaderOrWithAWrongLengthEndsInAskingForAReset() {
    VsockDriver driver = driver(false);
    driver.sending.submit(new Buffer(0x8_0000, 43, 0));
    assertThat(driver.sending.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    driver = driver(false);
    driver.send(1, 1, 1, DATA, 0, 11, bytes(10));
    assertThat(driver.sending.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    driver = driver(false);
    driver.send(1, 1, 1, DATA, 0, -1, bytes(10));
    assertThat(driver.sending.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    driver = new VsockDriver(machine, false);
    driver.send(1, 1, REQUEST);
    driver.receiving.submit(new Buffer(VirtioDriver.BUFFERS, 44, VirtioDriver.WRITE));
    assertThat(driver.receiving.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    assertThat(machine.exits()).isEmpty();
  }

  @Test
  void whatTheProtocolForbidsEndsAConnectionAndNoOther() throws IOException {
    VsockDriver driver = driver(false);
    VsockChannel good = fromGuest(driver, 1000);
    int[] operations = {0, REQUEST, RESPONSE, 8, 0xFFFF};
    for (int operation : operations) {
      VsockChannel channel = fromGuest(driver, operation);
      driver.send(5000, operation, operation);
      assertThat(driver.next().orElseThrow().operation()).isEqualTo(RESET);
      assertThatThrownBy(() -> read(channel, 1)).isInstanceOf(GuestChannelException.class);
    }
    driver.send(5000, 1000, 2, DATA, 0, 1, bytes(1));
    assertThat(driver.next().orElseThrow())
        .as("of an unknown type")
        .matches(p -> p.operation() == RESET && p.type() == 2);
    driver.guestCid = 4;
    driver.send(5000, 1000, RESET);
    driver.guestCid = 3;
    assertThat(driver.next()).as("of somebody else").isEmpty();
    good.write(ByteBuffer.wrap(bytes(1)));
    assertThat(driver.next().orElseThrow().payload()).hasSize(1);
  }

  @Test
  void refusalsThatTheGuestDoesNotTakeHaveABound() {
    VsockDriver driver = new VsockDriver(machine, false); // no buffers
    int heard = 0;
    int taken = 0;
    while (taken < 1000 && driver.send(1, taken, REQUEST)) {
      taken++;
    }
    assertThat(taken).isEqualTo(256);
    driver.withBuffers();
    while (driver.next().isPresent()) {
      heard++;
    }
    assertThat(heard).isEqualTo(257);
    assertThat(machine.exits()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void aMaliciousDriverHarmsNobody(long seed) throws IOException {
    boolean packed = seed % 2 == 0;
    Random random = new Random(seed);
    try (VsockListener listener = vsock.listen(2)) {
      for (int round = 0; round < 100; round++) {
        VsockDriver driver = driver(packed);
        for (int i = 0; i < 40; i++) {
          driver.allocated = random.nextInt(4) * 100;
          driver.forwarded = random.nextInt(3) - 1;
          byte[] payload = bytes(random.nextInt(3) * 2000);
          int length = random.nextInt(50) == 0 ? random.nextInt() : payload.length;
          driver.send(
              random.nextInt(3),
              random.nextInt(3),
              random.nextInt(20) == 0 ? 2 : 1,
              random.nextInt(9),
              random.nextInt(4),
              length,
              payload);
          if (random.nextBoolean()) {
            driver.next();
          }
          try {
            listener.accept(Duration.ZERO).write(ByteBuffer.wrap(payload));
          } catch (IOException e) {
            continue; // none was there, or it has ended
          }
        }
      }
    }
    assertThat(machine.exits()).isEmpty();
    VsockDriver good = driver(packed);
    fromGuest(good, 1).write(ByteBuffer.wrap(bytes(1)));
    assertThat(good.next().orElseThrow().payload()).hasSize(1);
  }
}
