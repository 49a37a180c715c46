package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.Translation;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import io.vmm4j.guests.GuestWork;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * An unmodified Debian kernel boots under virtual time, works in its shell, and at 200 points on
 * the way is saved, read back and restored: at each it has the state, bit for bit, of one that
 * never was. The interpreter runs the one that is left alone. The other one runs as machine code,
 * and every eighth time it is loaded the interpreter runs it.
 */
@Timeout(1200)
class LinuxLockstepTest {
  private static final int POINTS = 200;

  /** So many begin the run, a few instructions apart. */
  private static final int FIRST_POINTS = 16;

  /** The usual distance; every other one is drawn from between 1 and twice this. */
  private static final int INSTRUCTIONS = 8_000_000;

  /** Every so many points the snapshot is written as a user writes it, and else uncompressed. */
  private static final int COMPRESSED = 20;

  private static final String PROMPT = "vmm4j:/root# ";
  private static final String ENDLESS_WORK = "work 0 1\n";

  /** Every so many restores the interpreter goes on, else machine code. */
  private static final int INTERPRETED = 8;

  private static VmSpec spec() {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software(Translation.OFF))
        .memory(MemorySize.mebibytes(96))
        .clock(ClockMode.VIRTUAL)
        .startTime(Instant.parse("2026-01-01T00:00:00Z"))
        .randomSeed(20260101)
        .boot(
            LinuxBoot.kernel(images.kernel())
                .initrd(images.initrd())
                .commandLine("console=ttyS0 panic=-1"))
        .device("com1", UartConfig.DEFAULT)
        .build();
  }

  private static List<Integer> distances() {
    Random random = new Random(20260101);
    List<Integer> distances = new ArrayList<>();
    for (int i = 0; i < POINTS; i++) {
      if (i < FIRST_POINTS) {
        distances.add(1 + random.nextInt(1 << i));
      } else {
        distances.add(i % 2 == 0 ? INSTRUCTIONS : 1 + random.nextInt(2 * INSTRUCTIONS));
      }
    }
    return distances;
  }

  /** What the machine that is left alone was like at a point, and what it was sent there. */
  private record Point(int distance, List<Object> state, String input) {}

  /** Runs to the end without a restore; ends with a point that has no distance. */
  private static String leftAlone(VmSpec spec, BlockingQueue<Point> points) throws IOException {
    try (Vm vm = Vm.create(spec)) {
      boolean sent = false;
      for (int distance : distances()) {
        boolean send = !sent && vm.console("com1").transcript().contains(PROMPT);
        String input = send ? ENDLESS_WORK : "";
        sent |= send;
        points.add(new Point(distance, state(vm), input));
        go(vm, distance, input);
      }
      points.add(new Point(0, state(vm), ""));
      return vm.console("com1").transcript();
    }
  }

  private static void go(Vm vm, int distance, String input) {
    vm.console("com1").send(input);
    vm.step(distance);
  }

  private static List<Object> state(Vm vm) throws IOException {
    try (Snapshot snapshot = vm.snapshot()) {
      return SnapshotContents.of(snapshot);
    }
  }

  @Test
  void aBootThroughSnapshotsEqualsOneWithout() throws Exception {
    VmSpec spec = spec();
    System.out.println("BACKEND: software");
    BlockingQueue<Point> points = new LinkedBlockingQueue<>();
    CompletableFuture<String> transcript = new CompletableFuture<>();
    Thread leftAlone =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                transcript.complete(leftAlone(spec, points));
              } catch (Throwable e) {
                transcript.completeExceptionally(e);
              }
            });
    int restores = 0;
    Vm vm = Vm.create(spec);
    try {
      for (int number = 0; ; number++) {
        Point point = next(points, transcript);
        byte[] bytes;
        try (Snapshot snapshot = vm.snapshot()) {
          bytes = bytes(snapshot, number % COMPRESSED == 0);
        }
        try (Snapshot read = Snapshot.read(new ByteArrayInputStream(bytes))) {
          assertSame(number, SnapshotContents.of(read), point.state);
          if (point.distance == 0) {
            break;
          }
          if (number % 2 == 0) {
            vm.close();
            vm = read.load(Backends.software(tier(number)));
          } else {
            vm.restore(read);
          }
        }
        restores++;
        go(vm, point.distance, point.input);
      }
    } finally {
      vm.close();
      leftAlone.join();
    }
    assertThat(restores).isEqualTo(POINTS);
    List<String> work = GuestWork.linesIn(transcript.join());
    assertThat(work).isNotEmpty().isEqualTo(GuestWork.lines(work.size(), 1));
  }

  private static Translation tier(int number) {
    return number / 2 % INTERPRETED == INTERPRETED - 1 ? Translation.OFF : Translation.AUTO;
  }

  private static Point next(BlockingQueue<Point> points, CompletableFuture<String> end)
      throws InterruptedException {
    while (true) {
      Point point = points.poll(1, TimeUnit.SECONDS);
      if (point != null) {
        return point;
      }
      if (end.isCompletedExceptionally()) {
        end.join();
      }
    }
  }

  private static void assertSame(int number, List<Object> state, List<Object> expected) {
    assertThat(state).hasSameSizeAs(expected);
    for (int i = 0; i < state.size(); i++) {
      assertThat(state.get(i)).as("at point %d", number).isEqualTo(expected.get(i));
    }
  }

  private static byte[] bytes(Snapshot snapshot, boolean compressed) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream(64 << 20);
    SaveOptions options = SaveOptions.standard();
    snapshot.writeTo(out, compressed ? options : options.packed(SnapshotCompression.NONE));
    return out.toByteArray();
  }
}
