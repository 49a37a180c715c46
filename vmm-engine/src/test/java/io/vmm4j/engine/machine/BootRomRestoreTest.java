package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.DeviceException;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.bootrom.BootRomFactory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootRomRestoreTest {
  private static final long LAST_BYTE = 0xFFFF_FFFFL;
  private static final long LAST_BYTE_OF_ALIAS = 0xF_FFFFL;

  @TempDir Path directory;

  private final MachineFactory factory = factory();

  private static MachineFactory factory() {
    FakeBackend backend = new FakeBackend((host, vcpu) -> FakeBackend.Outcome.NEXT);
    DeviceFactory<?, ?> rom = new BootRomFactory();
    return new MachineFactory(
        new DeviceCatalog(Map.of(rom.type(), rom), Map.of(), List.of(backend)),
        new TestMachines.NoBoot());
  }

  private VmSpec spec(Path image) {
    return TestMachines.spec(ClockMode.VIRTUAL, Map.of("rom", new BootRomConfig(image.toString())));
  }

  @Test
  void aMachineIsRestoredThoughItsRomImageIsGone() throws IOException {
    Path image = Files.write(directory.resolve("rom"), new byte[] {1, 2, 3});
    ByteArrayOutputStream first = new ByteArrayOutputStream();
    try (Vm vm = factory.create(spec(image));
        Snapshot taken = vm.snapshot()) {
      taken.writeTo(first);
    }
    Files.delete(image);

    try (Snapshot read =
            factory.read(
                new ByteArrayInputStream(first.toByteArray()),
                SnapshotLimits.standard(),
                SnapshotResolver.none());
        Vm vm = read.load(Backends.auto())) {
      assertThat(vm.memory().readByte(LAST_BYTE)).isEqualTo(3);
      assertThat(vm.memory().readByte(LAST_BYTE_OF_ALIAS)).isEqualTo(3);
    }
  }

  @Test
  void aMachineIsNotStartedWithoutItsRomImage() {
    VmSpec spec = spec(directory.resolve("nowhere"));
    assertThatThrownBy(() -> factory.create(spec).close())
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("nowhere");
  }
}
