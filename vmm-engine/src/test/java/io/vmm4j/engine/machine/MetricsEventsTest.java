package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.clock.ClockMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine's figures in a recording of the JDK's Flight Recorder. */
class MetricsEventsTest {
  private static final String EVENT = "io.vmm4j.Metric";

  @TempDir private Path directory;

  @Test
  void aRecordingHasTheFiguresOfAMachineThatBeganBefore() throws IOException {
    try (Vm vm = Vm.create(spec())) {
      vm.step(100);
      List<RecordedEvent> events = record();

      assertThat(valuesOf(events, "instructions"))
          .isNotEmpty()
          .containsOnly(vm.metrics().instructions());
      assertThat(valuesOf(events, "portExits")).isNotEmpty();
      assertThat(valuesOf(events, "runningMicros")).isNotEmpty();
    }
    assertThat(valuesOf(record(), "instructions")).as("after its end").isEmpty();
  }

  private VmSpec spec() throws IOException {
    return GuestPrograms.spec(directory, Backends.software(), GuestPrograms.HELLO)
        .clock(ClockMode.VIRTUAL)
        .build();
  }

  private static Stream<Long> valuesOf(List<RecordedEvent> events, String metric) {
    return events.stream()
        .filter(e -> e.getString("machine").equals("guest"))
        .filter(e -> e.getString("metric").equals(metric))
        .map(e -> e.getLong("value"));
  }

  /** A recording that has events from its end at least. */
  private List<RecordedEvent> record() throws IOException {
    Path file = directory.resolve("recording.jfr");
    try (Recording recording = new Recording()) {
      recording.enable(EVENT).with("period", "endChunk");
      recording.start();
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file).stream()
        .filter(e -> e.getEventType().getName().equals(EVENT))
        .toList();
  }
}
