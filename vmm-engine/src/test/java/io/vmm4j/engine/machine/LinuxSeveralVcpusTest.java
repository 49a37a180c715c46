package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import io.vmm4j.guests.GuestWork;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * An unmodified Debian kernel brings up four vCPUs and works on all of them; a snapshot in the
 * middle of it goes on as the machine does that it was taken from.
 */
@Timeout(1200)
class LinuxSeveralVcpusTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final int CPUS = 4;
  private static final int ROUNDS = 6;
  private static final String PROMPT = "vmm4j:/root# ";

  /** Four shells at once; how much each vCPU has worked is told at the end. */
  private static final String WORK =
      "for i in 1 2 3 4; do work "
          + ROUNDS
          + " 1 >/tmp/$i & done; echo begun on $(nproc); wait; cat /tmp/1 /tmp/2 /tmp/3 /tmp/4;"
          + " grep '^cpu[0-9]' /proc/stat; poweroff -f";

  private static VmSpec spec() {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .cpus(CPUS)
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

  @Test
  void aParallelChecksumIsRightThroughASnapshot() throws IOException {
    System.out.println("BACKEND: software");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = Vm.start(spec())) {
      vm.console("com1").expect(PROMPT, PATIENCE);
      vm.console("com1").sendLine(WORK);
      vm.console("com1").expect("begun on " + CPUS + "\r\n", PATIENCE);
      try (Snapshot snapshot = vm.snapshot()) {
        snapshot.writeTo(bytes);
      }
      try (Snapshot read = Snapshot.read(new ByteArrayInputStream(bytes.toByteArray()));
          Vm restored = read.load(Backends.software())) {
        restored.resume();
        assertThat(restored.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
        assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());

        String transcript = vm.console("com1").transcript();
        assertThat(transcript).doesNotContain("BUG", "WARNING", "soft lockup", "rcu_sched");
        assertThat(GuestWork.linesIn(transcript)).isEqualTo(fourTimes(GuestWork.lines(ROUNDS, 1)));
        assertThat(transcript).contains("\ncpu0 ", "\ncpu1 ", "\ncpu2 ", "\ncpu3 ");
        assertThat(restored.console("com1").transcript()).isEqualTo(transcript);
        assertThat(restored.clock().nanoTime()).isEqualTo(vm.clock().nanoTime());
      }
    }
  }

  private static List<String> fourTimes(List<String> lines) {
    return Stream.generate(() -> lines).limit(CPUS).flatMap(List::stream).toList();
  }
}
