package io.vmm4j.engine.machine;

import static io.vmm4j.engine.machine.SerialShell.answer;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Balloon;
import io.vmm4j.api.Balloon.Statistic;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtioballoon.VirtioBalloonConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Linux's driver gives memory back to the host, of itself and when it is asked to. */
@Timeout(1200)
class LinuxBalloonTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String PROMPT = "vmm4j:/root# ";
  private static final String DEVICE = "pci/00:05.0";
  private static final int ATTEMPTS = 100;
  private static final long MEBIBYTE = 1 << 20;

  /** What of mapped files the host has in its memory for this process. */
  private static long residentBytes() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("RssShmem:") || line.startsWith("RssFile:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
          .sum();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Lets the guest's time pass until something is so. */
  private static void await(Vm vm, BooleanSupplier condition, String what) {
    for (int i = 0; i < ATTEMPTS && !condition.getAsBoolean(); i++) {
      answer(vm, "sleep 0.2");
    }
    assertThat(condition.getAsBoolean()).as(what).isTrue();
  }

  @Test
  void anIdleGuestGivesMemoryBack() throws IOException {
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(256))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.virtio())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .device("pci", HostBridgeConfig.DEFAULT)
            .device(DEVICE, VirtioBalloonConfig.DEFAULT)
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine("stty -echo; PS1=; echo qui''et");
      console.expect("quiet", PATIENCE);
      Balloon balloon = vm.device(DEVICE, Balloon.class);
      answer(vm, "head -c 3000000 /dev/urandom >/kept");
      String digest = answer(vm, "sha256sum /kept");

      // of itself
      answer(vm, "mkdir /fill; mount -t tmpfs none /fill; head -c 120000000 /dev/zero >/fill/x");
      long full = residentBytes();
      answer(vm, "rm /fill/x");
      await(vm, () -> residentBytes() < full - 80 * MEBIBYTE, "reports give 80 MiB back");

      // when it is asked to
      balloon.target(MemorySize.mebibytes(100));
      await(
          vm,
          () -> balloon.memory().equals(MemorySize.mebibytes(100)),
          "the balloon is as large as was asked");
      Map<Statistic, Long> statistics = balloon.statistics(PATIENCE);
      assertThat(statistics.get(Statistic.FREE)).isBetween(1L, 100 * MEBIBYTE);
      assertThat(statistics).containsKey(Statistic.MINOR_FAULTS);
      assertThat(answer(vm, "sha256sum /kept")).isEqualTo(digest);

      // what was given back takes no room in a snapshot, nor when it is taken
      long before = residentBytes();
      try (Snapshot snapshot = vm.snapshot()) {
        assertThat(residentBytes()).isLessThan(before + 100 * MEBIBYTE);
        try (Vm fork = snapshot.fork()) {
          assertThat(answer(fork, "sha256sum /kept")).isEqualTo(digest);
          Balloon another = fork.device(DEVICE, Balloon.class);
          another.target(MemorySize.mebibytes(256));
          await(
              fork,
              () -> another.memory().equals(MemorySize.mebibytes(256)),
              "the fork has its memory again");
          answer(fork, "head -c 100000000 /dev/zero >/fill/y");
          assertThat(answer(fork, "sha256sum /kept")).isEqualTo(digest);
        }
        vm.restore(snapshot);
        assertThat(answer(vm, "sha256sum /kept")).isEqualTo(digest);
      }
    }
  }
}
