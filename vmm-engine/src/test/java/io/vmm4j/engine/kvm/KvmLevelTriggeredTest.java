package io.vmm4j.engine.kvm;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.engine.ExtraDevice;
import io.vmm4j.engine.LevelDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Level-triggered messages, of whose ends the kernel tells only what stands among its routes. */
@Timeout(1200)
class KvmLevelTriggeredTest {
  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  @Test
  void theEndOfEachInterruptIsTold() throws IOException {
    try (Vm vm = LevelDevice.machine(directory, Backends.kvm(), 20)) {
      ExtraDevice.finish(vm);
    }
  }

  /** While the newest message takes the place of the oldest, an old one that is used is kept. */
  @Test
  void thereMayBeMoreMessagesThanPlaces() throws IOException {
    try (Vm vm = LevelDevice.machine(directory, Backends.kvm(), 1000)) {
      ExtraDevice.finish(vm);
    }
  }

  @Test
  void movesBetweenTheBackendsLoseNoEnd() throws IOException {
    ExtraDevice.move(
        LevelDevice.machine(directory, Backends.kvm(), 3000),
        List.of(Backends.software(), Backends.kvm()),
        41);
  }
}
