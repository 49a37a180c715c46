package io.vmm4j.engine.kvm;

import io.vmm4j.api.Backends;
import io.vmm4j.engine.machine.CatchUp;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A clock that catches up, on KVM. */
@Timeout(1200)
class KvmCatchUpTest {
  @TempDir private Path directory;

  private final CatchUp catchUp = new CatchUp(Backends.kvm());

  @BeforeEach
  void backend() {
    Kvm.required();
  }

  @Test
  void countersOfAllVcpusKeepTheirDistances() throws IOException {
    catchUp.countersOfAllVcpus(directory);
  }

  @Test
  void aOneShotTimerThatWasDueFires() throws IOException {
    catchUp.oneShotTimers(directory);
  }

  @Test
  void aTscDeadlineThatWasDueFires() throws IOException {
    catchUp.tscDeadlines(directory);
  }

  @Test
  void aPeriodicTimerFiresOnceAndGoesOnInItsSteps() throws IOException {
    catchUp.periodicTimers(directory);
  }

  @Test
  void whatIsDueLaterStaysThere() throws IOException {
    catchUp.laterTimersStay(directory);
  }
}
