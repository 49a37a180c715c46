package io.vmm4j.devices.virtio;

import static io.vmm4j.devices.virtio.VirtioDriver.BUFFERS;
import static io.vmm4j.devices.virtio.VirtioDriver.INDIRECT;
import static io.vmm4j.devices.virtio.VirtioDriver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Disk;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockFactory;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk of the virtio kind and its queues, of a driver that errs or means harm too. */
class VirtioBlockTest {
  private static final int SECTORS = 64;
  private static final long HEADER = BUFFERS;
  private static final long DATA = BUFFERS + 0x1000;
  private static final long STATUS = BUFFERS + 0x8000;
  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int NEEDS_RESET = 64;

  @TempDir private Path directory;
  private TestMachine machine;
  private VirtioDriver driver;
  private Path file;
  private byte[] contents;

  private void start(DiskMode mode, boolean packed) throws IOException {
    contents = new byte[SECTORS * 512];
    new Random(1).nextBytes(contents);
    file = Files.write(directory.resolve("disk"), contents);
    machine =
        PciMachine.bus()
            .device(
                VirtioDriver.PATH,
                new VirtioBlockFactory(),
                new VirtioBlockConfig(file.toString(), mode, "serial", 1))
            .build();
    driver = new VirtioDriver(machine, packed);
    driver.setUp();
  }

  @AfterEach
  void close() {
    if (machine != null) {
      machine.close();
    }
  }

  private void header(int type, long sector) {
    machine.memory().writeInt(HEADER, type);
    machine.memory().writeInt(HEADER + 4, 0);
    machine.memory().writeLong(HEADER + 8, sector);
    machine.memory().writeByte(STATUS, 0xFF);
  }

  private int request(int type, long sector, int bytes, boolean fromDevice) {
    header(type, sector);
    driver.submit(
        new Buffer(HEADER, 16, 0),
        new Buffer(DATA, bytes, fromDevice ? WRITE : 0),
        new Buffer(STATUS, 1, WRITE));
    assertThat(driver.takeBack(3)).isEqualTo(fromDevice && status() == 0 ? bytes + 1 : 1);
    return status();
  }

  private int status() {
    return machine.memory().readByte(STATUS);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sectorsAreReadAndWritten(boolean packed) throws IOException {
    start(DiskMode.OVERLAY, packed);
    for (int i = 0; i < 20; i++) { // several times round the ring
      assertThat(request(IN, 2 + i, 1024, true)).isZero();
      assertThat(machine.memory().read(DATA, 1024))
          .isEqualTo(Arrays.copyOfRange(contents, (2 + i) * 512, (4 + i) * 512));
    }
    byte[] written = "what the guest has written".getBytes(StandardCharsets.US_ASCII);
    machine.memory().write(DATA, Arrays.copyOf(written, 512));
    assertThat(request(OUT, 9, 512, false)).isZero();
    machine.memory().write(DATA, new byte[512]);
    assertThat(request(IN, 9, 512, true)).isZero();
    assertThat(machine.memory().read(DATA, written.length)).isEqualTo(written);
    assertThat(request(IN, 8, 512, true)).as("the rest of its block").isZero();
    assertThat(machine.memory().read(DATA, 512))
        .isEqualTo(Arrays.copyOfRange(contents, 8 * 512, 9 * 512));
    assertThat(Files.readAllBytes(file)).isEqualTo(contents);
    assertThat(driver.interruptStatus()).isEqualTo(1);
  }

  @Test
  void whatIsWrittenDirectlyIsInTheFile() throws IOException {
    start(DiskMode.DIRECT, false);
    machine.memory().write(DATA, new byte[512]);
    assertThat(request(OUT, 5, 512, false)).isZero();
    assertThat(request(4, 0, 0, false)).as("flush").isZero();
    Arrays.fill(contents, 5 * 512, 6 * 512, (byte) 0);
    assertThat(Files.readAllBytes(file)).isEqualTo(contents);
  }

  @ParameterizedTest
  @EnumSource(DiskMode.class)
  void aDiskIsExported(DiskMode mode) throws IOException {
    start(mode, false);
    if (mode != DiskMode.READONLY) {
      machine.memory().write(DATA, new byte[512]);
      assertThat(request(OUT, 5, 512, false)).isZero();
      Arrays.fill(contents, 5 * 512, 6 * 512, (byte) 0);
    }
    Path exported = directory.resolve("exported");
    Disk disk = machine.vm().device(VirtioDriver.PATH, Disk.class);
    assertThat(disk.sizeBytes()).isEqualTo(contents.length);
    disk.exportTo(exported, Disk.Format.RAW);
    assertThat(Files.readAllBytes(exported)).isEqualTo(contents);
    disk.exportTo(exported, Disk.Format.QCOW2);
    assertThat(Files.readAllBytes(exported)).startsWith('Q', 'F', 'I', 0xFB);
    assertThatThrownBy(() -> disk.exportTo(directory.resolve("no/where"), Disk.Format.RAW))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no/where");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactlyInAnyOrder(file, exported);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"OVERLAY", "DIRECT"})
  void aDiskGrowsAndTheDriverIsTold(DiskMode mode) throws IOException {
    start(mode, false);
    driver.interruptStatus();
    assertThat(request(OUT, SECTORS + 5, 512, false)).isEqualTo(1);

    machine.vm().device(VirtioDriver.PATH, Disk.class).resize(2 * SECTORS * 512);
    machine.runTasks();

    assertThat(driver.interruptStatus() & 2).as("a change of the configuration").isEqualTo(2);
    assertThat(driver.configuration(0, 8)).isEqualTo(2 * SECTORS);
    machine.memory().write(DATA, contents, 0, 512);
    assertThat(request(OUT, SECTORS + 5, 512, false)).isZero();
    assertThat(request(IN, SECTORS - 1, 8 * 512, true)).isZero();
    byte[] expected = Arrays.copyOf(contents, 2 * SECTORS * 512);
    System.arraycopy(contents, 0, expected, (SECTORS + 5) * 512, 512);
    assertThat(machine.memory().read(DATA, 8 * 512))
        .isEqualTo(Arrays.copyOfRange(expected, (SECTORS - 1) * 512, (SECTORS + 7) * 512));
    assertThat(Files.readAllBytes(file)).isEqualTo(mode == DiskMode.DIRECT ? expected : contents);

    if (mode == DiskMode.OVERLAY) {
      try (TestMachine twin = machine.twin()) {
        Path exported = directory.resolve("exported");
        Disk disk = twin.vm().device(VirtioDriver.PATH, Disk.class);
        assertThat(disk.sizeBytes()).isEqualTo(expected.length);
        disk.exportTo(exported, Disk.Format.RAW);
        assertThat(Files.readAllBytes(exported)).isEqualTo(expected);
      }
    }
    Disk disk = machine.vm().device(VirtioDriver.PATH, Disk.class);
    assertThatThrownBy(() -> disk.resize(512)).hasMessageContaining("can't shrink");
    assertThatThrownBy(() -> disk.resize(1000)).hasMessageContaining("whole sectors");
    assertThatThrownBy(() -> disk.resize(-512)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void requestsBeyondTheEndFail() throws IOException {
    start(DiskMode.OVERLAY, false);
    assertThat(request(IN, SECTORS, 512, true)).isEqualTo(1);
    assertThat(request(IN, SECTORS - 1, 1024, true)).isEqualTo(1);
    assertThat(request(OUT, -1, 512, false)).isEqualTo(1);
    assertThat(request(OUT, Long.MAX_VALUE, 512, false)).isEqualTo(1);
    assertThat(request(IN, 0, 100, true)).as("no whole sector").isEqualTo(1);
    assertThat(request(99, 0, 512, true)).as("of an unknown type").isEqualTo(2);
    assertThat(machine.exits()).isEmpty();
  }

  @Test
  void aDiskThatIsNotToBeWrittenIsNot() throws IOException {
    start(DiskMode.READONLY, false);
    assertThat(driver.offered() >>> 5 & 1).isEqualTo(1);
    assertThat(request(OUT, 0, 512, false)).isEqualTo(1);
    assertThat(Files.readAllBytes(file)).isEqualTo(contents);
  }

  @Test
  void itSaysItsSizeAndItsSerialNumber() throws IOException {
    start(DiskMode.OVERLAY, false);
    assertThat(driver.configuration(0, 8)).isEqualTo(SECTORS);
    assertThat(request(8, 0, 20, true)).isZero();
    assertThat(new String(machine.memory().read(DATA, 20), StandardCharsets.US_ASCII))
        .isEqualTo("serial" + "\0".repeat(14));
  }

  @Test
  void anIndirectTableIsFollowed() throws IOException {
    start(DiskMode.OVERLAY, false);
    header(IN, 3);
    long table = BUFFERS + 0x9000;
    long[][] rows = {{HEADER, 16, 1}, {DATA, 512, 3}, {STATUS, 1, 2}};
    for (int i = 0; i < rows.length; i++) {
      machine.memory().writeLong(table + 16L * i, rows[i][0]);
      machine.memory().writeInt(table + 16L * i + 8, (int) rows[i][1]);
      machine.memory().writeShort(table + 16L * i + 12, (int) rows[i][2]);
      machine.memory().writeShort(table + 16L * i + 14, i + 1);
    }
    driver.submit(new Buffer(table, 48, INDIRECT));
    assertThat(driver.takeBack(1)).isEqualTo(513);
    assertThat(machine.memory().read(DATA, 512))
        .isEqualTo(Arrays.copyOfRange(contents, 3 * 512, 4 * 512));
  }

  @Test
  void featuresThatWereNotOfferedAreRefused() throws IOException {
    start(DiskMode.OVERLAY, false);
    assertThat(driver.negotiate(1L << 32 | 1L << 40)).isEqualTo(3);
    assertThat(driver.negotiate(0)).as("without VERSION_1").isEqualTo(3);
    assertThat(driver.negotiate(1L << 32)).isEqualTo(11);
  }

  @Test
  void aChainThatGoesRoundEndsInAskingForAReset() throws IOException {
    start(DiskMode.OVERLAY, false);
    machine.memory().writeShort(VirtioDriver.DESCRIPTORS + 12, 1);
    machine.memory().writeShort(VirtioDriver.DESCRIPTORS + 14, 0);
    machine.memory().writeInt(VirtioDriver.DESCRIPTORS + 8, 16);
    machine.memory().writeLong(VirtioDriver.DESCRIPTORS, HEADER);
    machine.memory().writeShort(VirtioDriver.DRIVER_AREA + 2, 1);
    driver.notifyDevice();
    assertThat(driver.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    assertThat(driver.interruptStatus() & 2).isEqualTo(2);
    assertThat(machine.exits()).isEmpty();
  }

  @Test
  void aRequestWithoutStatusEndsInAskingForAReset() throws IOException {
    start(DiskMode.OVERLAY, false);
    driver.submit(new Buffer(HEADER, 16, 0));
    assertThat(driver.status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    machine.memory().write(VirtioDriver.DRIVER_AREA, new byte[64]);
    machine.memory().write(VirtioDriver.DEVICE_AREA, new byte[64]);
    driver = new VirtioDriver(machine, false);
    driver.setUp();
    assertThat(request(IN, 0, 512, true)).as("after the reset").isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void aMaliciousDriverHarmsNobody(long seed) throws IOException {
    start(DiskMode.OVERLAY, seed % 2 == 0);
    Random random = new Random(seed);
    for (int round = 0; round < 400; round++) {
      driver.setUp();
      for (int i = 0; i < 60; i++) {
        harm(random);
      }
      driver.notifyDevice();
      for (int i = 0; i < 5; i++) {
        driver.storeRegister(random.nextInt(0x3400), 1 << random.nextInt(4), random.nextLong());
        driver.loadRegister(random.nextInt(0x3400), 1 << random.nextInt(4));
      }
      driver.notifyDevice();
    }
    assertThat(machine.exits()).isEmpty();
    assertThat(Files.readAllBytes(file)).isEqualTo(contents);

    driver = new VirtioDriver(machine, seed % 2 == 0);
    for (long at = VirtioDriver.DESCRIPTORS; at < BUFFERS; at += 8) {
      machine.memory().writeLong(at, 0);
    }
    driver.setUp();
    assertThat(request(IN, 0, 512, true)).as("a good driver afterwards").isZero();
  }

  /** A word of the rings, or of what they lead to. */
  private void harm(Random random) {
    long[] places = {
      VirtioDriver.DESCRIPTORS, VirtioDriver.DRIVER_AREA, VirtioDriver.DEVICE_AREA, BUFFERS
    };
    long at = places[random.nextInt(places.length)] + 2L * random.nextInt(64);
    switch (random.nextInt(4)) {
      case 0 -> machine.memory().writeShort(at, random.nextInt());
      case 1 -> machine.memory().writeShort(at, random.nextInt(8));
      case 2 -> machine.memory().writeLong(at & -8, places[random.nextInt(places.length)]);
      default -> machine.memory().writeInt(at & -4, random.nextInt(2048));
    }
  }
}
