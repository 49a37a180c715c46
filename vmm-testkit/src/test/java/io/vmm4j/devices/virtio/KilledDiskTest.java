package io.vmm4j.devices.virtio;

import static io.vmm4j.devices.virtio.VirtioDriver.BUFFERS;
import static io.vmm4j.devices.virtio.VirtioDriver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockFactory;
import io.vmm4j.testkit.TestMachine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a guest has flushed to a disk in the mode direct is in the file, though the process is
 * killed at any moment after. {@code -Dvmm4j.kills=50} kills more often.
 */
@Timeout(600)
class KilledDiskTest {
  private static final int SECTORS = 64;
  private static final int KILLS = Integer.getInteger("vmm4j.kills", 6);

  @TempDir private Path directory;

  /** The process that is killed: writes numbered records, and says which are flushed. */
  static final class Guest {
    private static final int OUT = 1;
    private static final int FLUSH = 4;
    private static final long DATA = BUFFERS + 0x1000;
    private static final long STATUS = BUFFERS + 0x2000;

    private final TestMachine machine;
    private final VirtioDriver driver;

    private Guest(TestMachine machine) {
      this.machine = machine;
      this.driver = new VirtioDriver(machine, false);
      driver.setUp();
    }

    public static void main(String[] arguments) {
      PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
      TestMachine machine =
          PciMachine.bus()
              .device(
                  VirtioDriver.PATH,
                  new VirtioBlockFactory(),
                  new VirtioBlockConfig(arguments[0], DiskMode.DIRECT, "", 1))
              .build();
      Guest guest = new Guest(machine);
      for (long number = Long.parseLong(arguments[1]); ; number++) {
        machine.memory().writeLong(DATA, number);
        guest.request(OUT, number % SECTORS, 512);
        guest.request(FLUSH, 0, 0);
        out.println(number);
      }
    }

    private void request(int type, long sector, int bytes) {
      machine.memory().writeInt(BUFFERS, type);
      machine.memory().writeLong(BUFFERS + 8, sector);
      machine.memory().writeByte(STATUS, 0xFF);
      Buffer header = new Buffer(BUFFERS, 16, 0);
      Buffer status = new Buffer(STATUS, 1, WRITE);
      if (bytes == 0) {
        driver.submit(header, status);
      } else {
        driver.submit(header, new Buffer(DATA, bytes, 0), status);
      }
      driver.takeBack(3);
      if (machine.memory().readByte(STATUS) != 0) {
        throw new IllegalStateException("status " + machine.memory().readByte(STATUS));
      }
    }
  }

  @Test
  void whatWasFlushedOutlivesTheProcess() throws Exception {
    Path file = Files.write(directory.resolve("disk"), new byte[SECTORS * 512]);
    Random random = new Random(1);
    long next = 1;
    for (int kill = 0; kill < KILLS; kill++) {
      long reported = runAndKill(file, next, random.nextInt(3 * SECTORS));
      ByteBuffer contents = ByteBuffer.wrap(Files.readAllBytes(file));
      for (long number = Math.max(1, reported - SECTORS + 1); number <= reported; number++) {
        long found = Long.reverseBytes(contents.getLong((int) (number % SECTORS) * 512));
        // One more may have been written over the oldest, and not been reported.
        boolean oldest = number + SECTORS == reported + 1;
        assertThat(found).isIn(number, oldest ? reported + 1 : number);
      }
      next = reported + 1;
    }
    assertThat(next).isGreaterThan(KILLS);
  }

  /** The last record that was reported. */
  private long runAndKill(Path file, long first, int records)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Guest.class.getName(),
                file.toString(),
                Long.toString(first))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long reported = first - 1;
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
      for (int i = 0; i <= records; i++) {
        reported = Long.parseLong(out.readLine());
      }
      process.toHandle().destroyForcibly(); // which leaves the pipe open
      // What it had reported before it died counts, to the last line that is whole.
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        reported = line.equals(Long.toString(reported + 1)) ? reported + 1 : reported;
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    return reported;
  }
}
