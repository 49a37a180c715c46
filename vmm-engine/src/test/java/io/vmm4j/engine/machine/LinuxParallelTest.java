package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Translation;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import io.vmm4j.guests.GuestWork;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * An unmodified Debian kernel under real time, whose four vCPUs run at the same time on threads of
 * their own.
 */
@Timeout(1200)
class LinuxParallelTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final int CPUS = 4;
  private static final String PROMPT = "vmm4j:/root# ";

  private static VmSpec spec(Translation tier) {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software(tier))
        .memory(MemorySize.mebibytes(256))
        .cpus(CPUS)
        .boot(
            LinuxBoot.kernel(images.kernel())
                .initrd(images.initrd())
                .commandLine("console=ttyS0 panic=-1"))
        .device("com1", UartConfig.DEFAULT)
        .build();
  }

  /** Four shells at once, each with its own checksums; then what each vCPU has done. */
  private static String work(int rounds) {
    return "for i in 1 2 3 4; do work "
        + rounds
        + " 1 >/tmp/$i & done; echo begun on $(nproc); wait; cat /tmp/1 /tmp/2 /tmp/3 /tmp/4;"
        + " grep '^cpu[0-9]' /proc/stat; poweroff -f";
  }

  private static void assertDone(Vm vm, int rounds) {
    assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
    String transcript = vm.console("com1").transcript();
    assertThat(transcript).doesNotContain("BUG", "WARNING", "soft lockup", "rcu_sched");
    assertThat(GuestWork.linesIn(transcript)).isEqualTo(fourTimes(GuestWork.lines(rounds, 1)));
    assertThat(transcript).contains("\ncpu0 ", "\ncpu1 ", "\ncpu2 ", "\ncpu3 ");
  }

  private static List<String> fourTimes(List<String> lines) {
    return Stream.generate(() -> lines).limit(CPUS).flatMap(List::stream).toList();
  }

  @Test
  void fourChecksumsAtOnceAreRightThroughASnapshot() {
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec(Translation.AUTO))) {
      vm.console("com1").expect(PROMPT, PATIENCE);
      vm.console("com1").sendLine(work(6));
      vm.console("com1").expect("begun on " + CPUS + "\r\n", PATIENCE);
      try (Snapshot snapshot = vm.snapshot();
          Vm restored = snapshot.load(Backends.software())) {
        restored.resume();
        assertDone(restored, 6);
      }
      assertDone(vm, 6);
    }
  }

  @Test
  void theInterpreterAloneIsRightToo() {
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec(Translation.OFF))) {
      vm.console("com1").expect(PROMPT, PATIENCE);
      vm.console("com1").sendLine(work(1));
      assertDone(vm, 1);
    }
  }
}
