package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.guests.GuestWork;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A Linux booted on the software backend, restored on KVM at work, and on software again. */
@Timeout(1200)
class LinuxPortabilityTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  @Test
  void aLinuxWorksOnBothBackendsInTurn() throws IOException {
    String transcript;
    Lead lead;
    Snapshot onKvm;
    try (Snapshot booted = BootedLinux.snapshot();
        Vm vm = booted.resume(Backends.kvm())) {
      Console console = vm.console("com1");
      console.sendLine("while [ $(wc -l </tmp/1) -lt 3 ]; do sleep 0.1; done; echo half");
      console.expect("\nhalf\r\n", PATIENCE);
      lead = Lead.of(vm);
      console.sendLine("wait; cat /tmp/[1-9]; nproc; echo on $(uptime)");
      console.expect("echo on $(uptime)\r\n", PATIENCE); // the guest has taken all of the line
      vm.pause(); // or it would print on behind the snapshot
      onKvm = vm.snapshot();
    }
    try (onKvm;
        Vm vm = onKvm.resume(Backends.software())) {
      Console console = vm.console("com1");
      console.expect("\non ", PATIENCE);
      assertThat(Lead.of(vm)).matches(lead::agreesWith, "agrees with " + lead);
      try (Snapshot again = vm.snapshot();
          Vm back = again.resume(Backends.kvm())) {
        assertThat(Lead.of(back)).matches(lead::agreesWith, "agrees with " + lead);
      }
      console.sendLine("poweroff -f");
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
      transcript = console.transcript(); // of all three machines
    }
    assertThat(transcript).doesNotContain("BUG", "WARNING", "soft lockup", "rcu_sched", "unstable");
    assertThat(transcript).contains("\n" + BootedLinux.CPUS + "\r\n"); // nproc
    assertThat(GuestWork.linesIn(transcript))
        .isEqualTo(
            Stream.generate(() -> GuestWork.lines(BootedLinux.ROUNDS, 1))
                .limit(BootedLinux.CPUS)
                .flatMap(List::stream)
                .toList());
  }

  /**
   * By how many seconds the machine's clock is ahead of what the guest takes for its uptime:
   * between two bounds, which a slow guest has far from each other.
   */
  private record Lead(double least, double most) {
    /** How far a frequency that differs a little may lead the guest's clock in the test's time. */
    private static final double TOLERANCE = 0.5;

    private static final double UPTIME_RESOLUTION = 0.01;
    private static final int QUESTIONS = 3;

    static Lead of(Vm vm) {
      Lead lead = new Lead(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
      Console console = vm.console("com1");
      for (int i = 0; i < QUESTIONS; i++) {
        double before = vm.clock().nanoTime() / 1e9;
        console.sendLine("echo up=$(uptime)=");
        console.expect("\nup=", PATIENCE); // the answer, not the terminal's echo of the question
        double after = vm.clock().nanoTime() / 1e9;
        double uptime = Double.parseDouble(console.expect("=\r\n", PATIENCE).before());
        lead =
            new Lead(
                Math.max(lead.least, before - uptime - UPTIME_RESOLUTION),
                Math.min(lead.most, after - uptime));
      }
      return lead;
    }

    boolean agreesWith(Lead other) {
      return least - other.most <= TOLERANCE && other.least - most <= TOLERANCE;
    }
  }
}
