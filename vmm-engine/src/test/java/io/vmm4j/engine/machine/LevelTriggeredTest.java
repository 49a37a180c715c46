package io.vmm4j.engine.machine;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.engine.ExtraDevice;
import io.vmm4j.engine.LevelDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(1200)
class LevelTriggeredTest {
  @TempDir private Path directory;

  @Test
  void theEndOfEachInterruptIsTold() throws IOException {
    try (Vm vm = LevelDevice.machine(directory, Backends.software(), 1000)) {
      ExtraDevice.finish(vm);
    }
  }

  @Test
  void snapshotsLoseNoEnd() throws IOException {
    ExtraDevice.move(
        LevelDevice.machine(directory, Backends.software(), 20_000),
        List.of(Backends.software()),
        50);
  }
}
