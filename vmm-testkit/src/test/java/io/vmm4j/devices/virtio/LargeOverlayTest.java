package io.vmm4j.devices.virtio;

import static io.vmm4j.devices.virtio.VirtioDriver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockFactory;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An overlay of a large disk: it costs what the guest writes. */
@Timeout(300)
class LargeOverlayTest {
  private static final long DISK = 40L << 30;
  private static final int REQUEST = 1 << 20;
  private static final long DATA = 0x20_0000;
  private static final long HEADER = VirtioDriver.BUFFERS;
  private static final long STATUS = HEADER + 16;
  private static final int IN = 0;
  private static final int OUT = 1;

  @TempDir private Path directory;
  private TestMachine machine;
  private VirtioDriver driver;

  @BeforeEach
  void start() throws IOException {
    Path file = directory.resolve("disk");
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
      opened.setLength(DISK);
    }
    machine =
        PciMachine.bus()
            .ram(MemorySize.mebibytes(16))
            .device(
                VirtioDriver.PATH, new VirtioBlockFactory(), new VirtioBlockConfig(file.toString()))
            .build();
    driver = new VirtioDriver(machine, false);
    driver.setUp();
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private int request(TestMachine of, VirtioDriver through, int type, long at) {
    of.memory().writeInt(HEADER, type);
    of.memory().writeLong(HEADER + 8, at / 512);
    of.memory().writeByte(STATUS, 0xFF);
    through.submit(
        new Buffer(HEADER, 16, 0),
        new Buffer(DATA, REQUEST, type == IN ? WRITE : 0),
        new Buffer(STATUS, 1, WRITE));
    through.takeBack(3);
    return of.memory().readByte(STATUS);
  }

  private void write(long at) {
    for (int i = 0; i < REQUEST; i += 4096) {
      machine.memory().writeLong(DATA + i, at + i + 1);
    }
    assertThat(request(machine, driver, OUT, at)).isZero();
  }

  private void holds(TestMachine of, VirtioDriver through, long at, boolean written) {
    assertThat(request(of, through, IN, at)).isZero();
    for (int i = 0; i < REQUEST; i += 4096) {
      assertThat(of.memory().readLong(DATA + i)).isEqualTo(written ? at + i + 1 : 0);
    }
  }

  @Test
  void aGuestWritesMoreThanTheDeviceMemoryOfAMachine() {
    for (long at = 0; at < 700L << 20; at += REQUEST) {
      write(at * 50); // all over the disk
    }
    for (long at = 0; at < 700L << 20; at += 97L * REQUEST) {
      holds(machine, driver, at * 50, true);
    }
  }

  @Test
  void snapshotsAndDeltasHoldWhatWasWritten() throws IOException {
    write(0);
    write(DISK - REQUEST);
    Path whole = directory.resolve("whole.vmm");
    Path delta = directory.resolve("delta.vmm");
    try (Snapshot parent = machine.vm().snapshot()) {
      parent.writeTo(whole);
      write(DISK / 2);
      try (Snapshot child = machine.vm().snapshot(parent)) {
        child.writeTo(delta);
      }
    }
    assertThat(Files.size(whole)).isLessThan(8 << 20);
    assertThat(Files.size(delta)).isLessThan(4 << 20);

    try (TestMachine twin = machine.twin()) {
      VirtioDriver there = new VirtioDriver(twin, false);
      there.setUp();
      holds(twin, there, 0, true);
      holds(twin, there, DISK / 2, true);
      holds(twin, there, DISK - REQUEST, true);
      holds(twin, there, DISK / 4, false);
    }
  }
}
