package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtiorng.VirtioRngConfig;
import io.vmm4j.guests.GuestCache;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A Debian with systemd from a disk, which {@code guests/fetch debian} makes. Elsewhere it is
 * skipped, under continuous integration too: making the disk takes root and a package source.
 */
@Timeout(1200)
class DebianTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "ready> ";
  private static final int FORKS = 5;

  private static VmSpec debian() {
    GuestCache cache = GuestCache.locate();
    Path disk = cache.debian().orElse(Path.of(""));
    assumeTrue(cache.debian().isPresent(), "no disk with Debian: guests/fetch debian");
    return VmSpec.builder("debian")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(512))
        .boot(
            LinuxBoot.kernel(cache.kernel().orElseThrow())
                .initrd(cache.virtio().orElseThrow())
                .commandLine("console=ttyS0 panic=-1 root=/dev/vda"))
        .device("com1", Uart.com1())
        .device("pci", HostBridgeConfig.DEFAULT)
        .device("pci/00:03.0", new VirtioBlockConfig(disk.toString()))
        .device("pci/00:04.0", VirtioRngConfig.DEFAULT)
        .build();
  }

  private static String answer(Vm vm, String command) {
    Console console = vm.console("com1");
    console.sendLine(command + "; echo answ''ered");
    String answer = console.expect("answered", PATIENCE).before();
    console.expect(PROMPT, PATIENCE);
    return answer.replace("\r", "").strip();
  }

  @Test
  void itComesUpAndItsForksWriteFilesOfTheirOwn() {
    try (Vm vm = Vm.start(debian())) {
      Console console = vm.console("com1");
      console.expect("login: ", PATIENCE);
      console.sendLine("root");
      console.expect(":~# ", PATIENCE);
      console.sendLine("TERM=dumb exec bash --noediting --norc");
      console.sendLine("stty -echo; PS1='ready''> '");
      console.expect(PROMPT, PATIENCE);
      assertThat(answer(vm, "systemctl is-system-running --wait")).endsWith("running");
      assertThat(answer(vm, "findmnt -no SOURCE /")).endsWith("/dev/vda");

      answer(vm, "echo before >/root/file; sync");
      try (Snapshot snapshot = vm.snapshot()) {
        List<Vm> forks = new ArrayList<>();
        try {
          for (int i = 0; i < FORKS; i++) {
            Vm fork = snapshot.fork();
            forks.add(fork);
            answer(fork, "echo fork " + i + " >/root/file; sync");
          }
          for (int i = 0; i < FORKS; i++) {
            assertThat(answer(forks.get(i), "cat /root/file")).isEqualTo("fork " + i);
          }
        } finally {
          forks.forEach(Vm::close);
        }
        answer(vm, "echo after >/root/file; sync");
        vm.restore(snapshot);
        assertThat(answer(vm, "cat /root/file")).as("after a rewind").isEqualTo("before");
      }
      console.sendLine("poweroff");
      assertThat(vm.awaitExit(PATIENCE)).isInstanceOf(VmExit.PoweredOff.class);
    }
  }
}
