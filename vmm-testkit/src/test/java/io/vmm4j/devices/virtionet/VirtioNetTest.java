package io.vmm4j.devices.virtionet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.network.PortForward;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.testkit.TestMachine;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A network card of the virtio kind, of a driver that errs or means harm too. */
class VirtioNetTest {
  private static final long BUFFER = VirtioDriver.BUFFERS;
  private static final int NEEDS_RESET = 64;
  private static final int HEADER = 12;
  private static final VirtioNetConfig CARD =
      new VirtioNetConfig("52:54:00:12:34:56", 1500, "test", true, List.of(new PortForward(0, 22)));

  private TestMachine machine = machine(CARD);

  private static TestMachine machine(VirtioNetConfig card) {
    return PciMachine.bus().device(VirtioDriver.PATH, new VirtioNetFactory(), card).build();
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private TestNetwork network() {
    return machine.vm().device(VirtioDriver.PATH, TestNetwork.class);
  }

  private VirtioDriver driver(boolean packed, int queue) {
    VirtioDriver driver = new VirtioDriver(machine, packed, queue);
    driver.setUp();
    return driver;
  }

  private static byte[] frame(int length) {
    byte[] frame = new byte[length];
    new Random(length).nextBytes(frame);
    return frame;
  }

  @Test
  void itSaysItsAddressItsStateAndItsMtu() {
    VirtioDriver driver = driver(false, 0);
    assertThat(driver.configuration(0, 4)).isEqualTo(0x1200_5452L);
    assertThat(driver.configuration(4, 2)).isEqualTo(0x5634);
    assertThat(driver.configuration(6, 2)).as("the link is up").isEqualTo(1);
    assertThat(driver.configuration(10, 2)).isEqualTo(1500);
    assertThat(driver.offered() & 1L << 5 & ~0L).isNotZero();
    assertThat(network().settings.outbound()).isTrue();
    assertThat(network().settings.forwards()).containsExactly(new PortForward(0, 22));
  }

  @Test
  void anAddressFollowsFromTheSeed() {
    machine.close();
    machine = machine(VirtioNetConfig.DEFAULT);
    VirtioDriver driver = driver(false, 0);
    long first = driver.configuration(0, 4);
    assertThat(first & 0xFFFF).isEqualTo(0x5452);
    assertThat(driver.configuration(6, 2)).as("the link is down").isZero();
    machine.close();
    machine = machine(VirtioNetConfig.DEFAULT);
    assertThat(driver(false, 0).configuration(0, 4)).isEqualTo(first);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFrameReachesTheGuest(boolean packed) {
    VirtioDriver driver = driver(packed, 0);
    for (int i = 0; i < 20; i++) { // several times round the ring
      byte[] frame = frame(60 + i);
      driver.submit(new Buffer(BUFFER, 1526, VirtioDriver.WRITE));
      assertThat(driver.takeBack(1)).as("nothing has come yet").isEqualTo(-1);
      assertThat(network().port.deliver(frame)).isTrue();
      machine.runTasks();
      assertThat(driver.takeBack(1)).isEqualTo(HEADER + frame.length);
      assertThat(machine.memory().read(BUFFER + HEADER, frame.length)).isEqualTo(frame);
      assertThat(machine.memory().readShort(BUFFER + 10)).as("buffers").isEqualTo(1);
    }
    assertThat(driver.interruptStatus()).isEqualTo(1);
  }

  @Test
  void framesWaitForBuffersAndWhatFindsNoRoomIsLost() {
    VirtioDriver driver = driver(false, 0);
    int taken = 0;
    while (network().port.deliver(frame(100))) {
      taken++;
    }
    assertThat(taken).isEqualTo(1024);
    assertThat(network().port.deliver(frame(1514))).isFalse();
    driver.submit(new Buffer(BUFFER, 1526, VirtioDriver.WRITE));
    assertThat(driver.takeBack(1)).isEqualTo(HEADER + 100);
    assertThat(network().port.deliver(frame(1514))).isTrue();
    assertThat(network().port.deliver(frame(1515))).as("more than the MTU").isFalse();
  }

  @Test
  void framesForADriverThatIsNotReadyAreLost() {
    for (int i = 0; i < 5; i++) {
      network().port.deliver(frame(100));
    }
    machine.runTasks();
    VirtioDriver driver = driver(false, 0);
    driver.submit(new Buffer(BUFFER, 1526, VirtioDriver.WRITE));
    assertThat(driver.takeBack(1)).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFrameLeavesTheGuest(boolean packed) {
    VirtioDriver driver = driver(packed, 1);
    byte[] frame = frame(1514);
    machine.memory().write(BUFFER + HEADER, frame);
    driver.submit(
        new Buffer(BUFFER, HEADER, 0),
        new Buffer(BUFFER + HEADER, 14, 0),
        new Buffer(BUFFER + HEADER + 14, 1500, 0));
    assertThat(driver.takeBack(3)).isZero();
    assertThat(network().sent).containsExactly(frame);
  }

  @Test
  void whatIsNoFrameIsGivenBackAndNotSent() {
    VirtioDriver driver = driver(false, 1);
    for (int length : new int[] {0, 13, 1519, 60_000}) {
      driver.submit(new Buffer(BUFFER, HEADER + length, 0));
      assertThat(driver.takeBack(1)).isZero();
    }
    assertThat(network().sent).isEmpty();
  }

  @Test
  void aBufferThatIsTooSmallEndsInAskingForAReset() {
    VirtioDriver receiving = driver(false, 0);
    network().port.deliver(frame(100));
    receiving.submit(new Buffer(BUFFER, 111, VirtioDriver.WRITE));
    assertThat(receiving.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    VirtioDriver sending = driver(false, 1);
    sending.submit(new Buffer(BUFFER, 11, 0));
    assertThat(sending.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    assertThat(machine.exits()).isEmpty();
  }

  @Test
  void theNetworksMemoryIsPartOfTheState() {
    network().remembered = new byte[] {9, 9};
    try (TestMachine twin = machine.twin()) {
      twin.become(machine);
      assertThat(twin.vm().device(VirtioDriver.PATH, TestNetwork.class).remembered)
          .containsExactly(9, 9);
    }
    TestNetwork network = network();
    machine.close();
    assertThat(network.closed).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void aMaliciousDriverHarmsNobody(long seed) {
    boolean packed = seed % 2 == 0;
    Random random = new Random(seed);
    for (int round = 0; round < 400; round++) {
      VirtioDriver driver = driver(packed, round & 1);
      for (int i = 0; i < 60; i++) {
        long at = 0x1_0000L * random.nextInt(1, 5) + 2L * random.nextInt(64);
        switch (random.nextInt(4)) {
          case 0 -> machine.memory().writeShort(at, random.nextInt());
          case 1 -> machine.memory().writeShort(at, random.nextInt(8));
          case 2 -> machine.memory().writeLong(at & -8, 0x1_0000L * random.nextInt(1, 5));
          default -> machine.memory().writeInt(at & -4, random.nextInt(2048));
        }
      }
      network().port.deliver(frame(14 + random.nextInt(1500)));
      driver.notifyDevice();
      for (int i = 0; i < 5; i++) {
        driver.storeRegister(random.nextInt(0x3400), 1 << random.nextInt(4), random.nextLong());
        driver.loadRegister(random.nextInt(0x3400), 1 << random.nextInt(4));
      }
      driver.notifyDevice();
    }
    assertThat(machine.exits()).isEmpty();
    for (long at = 0x1_0000; at < BUFFER; at += 8) {
      machine.memory().writeLong(at, 0);
    }
    VirtioDriver good = driver(packed, 1);
    network().sent.clear();
    good.submit(new Buffer(BUFFER, HEADER + 60, 0));
    assertThat(good.takeBack(1)).as("a good driver afterwards").isZero();
    assertThat(network().sent).hasSize(1);
  }

  @Test
  void configurationsThatMakeNoSenseAreRefused() {
    for (String mac : new String[] {"x", "52:54:00:12:34", "53:54:00:12:34:56", "525400123456"}) {
      assertThatThrownBy(() -> new VirtioNetConfig(mac, 1500, "none", false, List.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(mac);
    }
    assertThatThrownBy(() -> new VirtioNetConfig("", 100, "none", false, List.of()))
        .hasMessageContaining("mtu");
    assertThatThrownBy(() -> VirtioNetConfig.DEFAULT.withOutbound(true))
        .hasMessageContaining("none");
    assertThatThrownBy(() ->
            VirtioNetConfig.user()
                .withForwards(new PortForward(2222, 22), new PortForward(2222, 23)))
        .hasMessageContaining("2222");
    assertThatThrownBy(() -> new PortForward(70_000, 22)).hasMessageContaining("hostPort");
    assertThatThrownBy(
            () -> machine(new VirtioNetConfig("", 1500, "nowhere", false, List.of())).close())
        .hasStackTraceContaining("network 'nowhere' is not one of [none, test");
    assertThat(Arrays.asList(VirtioNetConfig.user().network())).containsExactly("user");
  }
}
