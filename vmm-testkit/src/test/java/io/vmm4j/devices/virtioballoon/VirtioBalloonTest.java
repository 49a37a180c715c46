package io.vmm4j.devices.virtioballoon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Balloon;
import io.vmm4j.api.Balloon.Statistic;
import io.vmm4j.api.MemorySize;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A balloon in a machine of 16 MiB. */
@Timeout(20)
class VirtioBalloonTest {
  private static final long STATISTICS = 1L << 1;
  private static final long REPORTING = 1L << 5;
  private static final int NEEDS_RESET = 64;
  private static final long GIVEN = 0x20_0000;

  private final TestMachine machine =
      PciMachine.bus()
          .device(VirtioDriver.PATH, new VirtioBalloonFactory(), VirtioBalloonConfig.DEFAULT)
          .build();
  private final Balloon balloon = machine.vm().device(VirtioDriver.PATH, Balloon.class);

  @AfterEach
  void close() {
    machine.close();
  }

  private VirtioDriver[] setUp(boolean packed, long features) {
    machine.memory().write(VirtioDriver.QUEUES, new byte[4 * 0x1000]);
    VirtioDriver[] queues = new VirtioDriver[4];
    for (int i = 0; i < queues.length; i++) {
      queues[i] = VirtioDriver.ofQueue(machine, packed, i);
    }
    VirtioDriver.setUp(features, queues);
    return queues;
  }

  private void fill(long address, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 1);
    machine.memory().write(address, bytes);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theGuestGivesWhatItIsAskedFor(boolean packed) {
    VirtioDriver[] queues = setUp(packed, STATISTICS | REPORTING);
    balloon.target(MemorySize.mebibytes(12));
    machine.runTasks();
    assertThat(queues[0].configuration(0, 4)).isEqualTo(1024);
    assertThat(queues[0].interruptStatus() & 2).isEqualTo(2);
    assertThat(balloon.memory()).isEqualTo(MemorySize.mebibytes(16));

    fill(GIVEN - 4096, 5 * 4096);
    int[] pages = {0x202, 0x200, 0x201};
    for (int i = 0; i < pages.length; i++) {
      machine.memory().writeInt(VirtioDriver.BUFFERS + 4L * i, pages[i]);
    }
    queues[0].submit(new Buffer(VirtioDriver.BUFFERS, 12, 0));
    assertThat(queues[0].takeBack(1)).isZero();
    assertThat(machine.memory().read(GIVEN, 3 * 4096)).containsOnly(0);
    assertThat(machine.memory().read(GIVEN - 4096, 4096)).containsOnly(1);
    assertThat(machine.memory().read(GIVEN + 3 * 4096, 4096)).containsOnly(1);
    assertThat(balloon.discardedBytes()).isEqualTo(3 * 4096);
    queues[0].storeRegister(0x2004, 4, 3);
    assertThat(balloon.memory()).isEqualTo(MemorySize.bytes((16 << 20) - 3 * 4096));
    queues[1].submit(new Buffer(VirtioDriver.BUFFERS, 12, 0));
    assertThat(queues[1].takeBack(1)).isZero();
    balloon.target(MemorySize.gibibytes(1));
    machine.runTasks();
    assertThat(queues[0].configuration(0, 4)).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {STATISTICS | REPORTING, REPORTING})
  void theGuestReportsWhatItDoesNotUse(long features) {
    VirtioDriver[] queues = setUp(false, features);
    VirtioDriver reports = queues[features == REPORTING ? 2 : 3];
    fill(GIVEN, 4 * 4096);
    reports.submit(
        new Buffer(GIVEN, 8192, VirtioDriver.WRITE),
        new Buffer(GIVEN + 3 * 4096, 4096, VirtioDriver.WRITE));
    assertThat(reports.takeBack(2)).isZero();
    assertThat(machine.memory().read(GIVEN, 8192)).containsOnly(0);
    assertThat(machine.memory().read(GIVEN + 8192, 4096)).containsOnly(1);
    assertThat(machine.memory().read(GIVEN + 3 * 4096, 4096)).containsOnly(0);
    assertThat(balloon.discardedBytes()).isEqualTo(3 * 4096);
  }

  private void statistics(VirtioDriver queue, long free) {
    machine.memory().writeShort(VirtioDriver.BUFFERS, 4);
    machine.memory().writeLong(VirtioDriver.BUFFERS + 2, free);
    machine.memory().writeShort(VirtioDriver.BUFFERS + 10, 77);
    machine.memory().writeLong(VirtioDriver.BUFFERS + 12, 1);
    queue.submit(new Buffer(VirtioDriver.BUFFERS, 20, 0));
  }

  @Test
  void statisticsAreThoseOfNow() throws IOException {
    VirtioDriver queue = setUp(false, STATISTICS)[2];
    statistics(queue, 1);
    assertThat(queue.takeBack(1)).as("nobody has asked").isEqualTo(-1);
    CompletableFuture<Map<Statistic, Long>> asked =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return balloon.statistics(Duration.ofMinutes(1));
              } catch (IOException e) {
                throw new CompletionException(e);
              }
            },
            task -> Thread.ofVirtual().start(task));
    while (queue.takeBack(1) < 0 && !Thread.interrupted()) {
      machine.runTasks();
    }
    statistics(queue, 12345);
    assertThat(asked.join()).containsExactly(Map.entry(Statistic.FREE, 12345L));
    assertThatThrownBy(() -> balloon.statistics(Duration.ZERO))
        .isInstanceOf(SocketTimeoutException.class);
    machine.close();
    assertThatThrownBy(() -> balloon.statistics(Duration.ofMinutes(1)))
        .hasMessageContaining("closed");
  }

  @Test
  void pagesThatAreNotThereEndInAskingForAReset() {
    VirtioDriver[] queues = setUp(false, STATISTICS);
    machine.memory().writeInt(VirtioDriver.BUFFERS, -1);
    queues[0].submit(new Buffer(VirtioDriver.BUFFERS, 4, 0));
    assertThat(queues[0].status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    queues = setUp(false, STATISTICS);
    queues[0].submit(new Buffer(VirtioDriver.BUFFERS, 5, 0));
    assertThat(queues[0].status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    queues = setUp(false, STATISTICS);
    queues[0].submit(new Buffer(VirtioDriver.BUFFERS, 1 << 20, 0));
    assertThat(queues[0].status() & NEEDS_RESET).isEqualTo(NEEDS_RESET);
    assertThat(machine.exits()).isEmpty();
  }
}
