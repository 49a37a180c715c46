package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Linux becomes a clone: its vmgenid driver hears of the new generation id, and its random numbers
 * are no longer those of the machine that it was. Of Debian's kernels the cloud flavour lacks that
 * driver, and the common one has it built in.
 */
@Timeout(1200)
class LinuxCloneTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "vmm4j:/root# ";

  /** Sleeps in the guest until the kernel's log says it, and shows what it then draws. */
  private static final String WATCH =
      "(grep -m 1 'machine [f]ork' /dev/kmsg; echo drew $(cat /proc/sys/kernel/random/uuid)) &";

  private static final Pattern DREW =
      Pattern.compile("drew ([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})");

  private static VmSpec spec() {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .clock(ClockMode.VIRTUAL)
        .startTime(Instant.parse("2026-01-01T00:00:00Z"))
        .randomSeed(20260101)
        .boot(
            LinuxBoot.kernel(images.kernel("amd64"))
                .initrd(images.initrd())
                .commandLine("console=ttyS0 panic=-1"))
        .device("com1", UartConfig.DEFAULT)
        .build();
  }

  @Test
  void clonesReseedTheirRandomNumbersAndTheMachineItselfDoesNot() {
    // given a guest that was cloned before its first instruction, so that the event waits from
    // there on, and that now sleeps, with a process that waits for news of a fork
    try (Vm vm = cloneThatHasNotBegun()) {
      System.out.println("BACKEND: software");
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine(WATCH);
      console.expect(PROMPT, PATIENCE);
      try (Snapshot snapshot = vm.snapshot()) {

        // when two clones go on, left to themselves
        List<Vm> clones = snapshot.fork(2);
        try {
          // then each is told, and draws numbers of its own
          assertThat(clones.stream().map(LinuxCloneTest::drawnAfterTheNews))
              .doesNotHaveDuplicates();
        } finally {
          clones.forEach(Vm::close);
        }

        // while the machine itself, resumed twice, hears nothing and draws the same twice
        String once = drawnByTheMachineItself(snapshot);
        assertThat(drawnByTheMachineItself(snapshot)).isEqualTo(once);
      }
    }
  }

  private static Vm cloneThatHasNotBegun() {
    try (Vm vm = Vm.create(spec());
        Snapshot beginning = vm.snapshot()) {
      return beginning.fork();
    }
  }

  private static String drawnAfterTheNews(Vm clone) {
    Console console = clone.console("com1");
    console.expect("crng reseeded due to virtual machine fork", PATIENCE);
    return console.expect(DREW, PATIENCE).groups().getFirst();
  }

  private static String drawnByTheMachineItself(Snapshot snapshot) {
    // Its input is there before its first instruction, so that both runs are the same.
    try (Vm vm = snapshot.resume(ResumeOptions.standard().standing())) {
      Console console = vm.console("com1");
      console.sendLine(
          "sleep 5; echo forks: $(dmesg | grep -c 'machine [f]ork'),"
              + " events: $(awk '/ACPI:Ged/ {print $2}' /proc/interrupts);"
              + " echo drew $(cat /proc/sys/kernel/random/uuid)");
      vm.resume();
      // The one event is that of the beginning: neither lost nor taken for many.
      console.expect("forks: 0, events: 1\r\n", PATIENCE);
      return console.expect(DREW, PATIENCE).groups().getFirst();
    }
  }
}
