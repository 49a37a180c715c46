package io.vmm4j.engine.kvm;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.ExtraDevice;
import io.vmm4j.engine.PciWindowGuest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Device memory behind a BAR on KVM, and from one backend to the other. */
@Timeout(1200)
class KvmPciWindowTest {
  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  @Test
  void whatWasWrittenMovesAlong() throws IOException {
    try (Vm vm = PciWindowGuest.create(directory, Backends.kvm(), ClockMode.REAL, 200)) {
      ExtraDevice.finish(vm);
    }
  }

  @Test
  void itMovesFromBackendToBackend() throws IOException {
    ExtraDevice.move(
        PciWindowGuest.create(directory, Backends.kvm(), ClockMode.REAL, 2_000),
        List.of(Backends.software(), Backends.kvm()),
        20);
  }
}
