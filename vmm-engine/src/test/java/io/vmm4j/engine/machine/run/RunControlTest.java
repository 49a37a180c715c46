package io.vmm4j.engine.machine.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunControlTest {
  @Test
  void anErrorIsReportedOnceThereIsMemoryAgain() {
    List<Throwable> attempts = new ArrayList<>();
    IllegalStateException error = new IllegalStateException("of a vCPU's thread");
    MachineThreads.reportForSure(
        thrown -> {
          attempts.add(thrown);
          if (attempts.size() < 4) {
            throw new OutOfMemoryError("for a test");
          }
        },
        error);
    assertThat(attempts).containsExactly(error, error, error, error);
  }
}
