package io.vmm4j.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.SnapshotInspection;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that earlier versions wrote: restored, and run to the guest's own verdict. */
@Timeout(1200)
class GoldenFilesTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  /** Every device type of version 1.0. */
  private static final List<String> TYPES_OF_1_0 =
      List.of(
          "i8259-pic",
          "ioapic",
          "i8254-pit",
          "mc146818-rtc",
          "i8042",
          "acpi-pm",
          "uart16550",
          "debug-exit",
          "debug-console",
          "bootrom",
          "pc-testdev",
          "test-window");

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicTest> everyOneGoesOnToTheGuestsVerdict() throws IOException {
    List<Path> files = GoldenFiles.all();
    assertThat(files).isNotEmpty();
    return files.stream()
        .map(file -> {
          String name = file.getParent().getFileName() + "/" + file.getFileName();
          return DynamicTest.dynamicTest(name, () -> goesOn(file));
        });
  }

  private static void goesOn(Path file) throws IOException {
    try (Snapshot read = Snapshot.read(file);
        Vm vm = read.resume(Backends.software())) {
      VmExit exit = vm.awaitExit(LONG);
      assertThat(vm.console("com1").transcript()).isEqualTo(GoldenGuest.VERDICT);
      assertThat(exit).isEqualTo(new VmExit.DebugExit(GoldenGuest.EXIT_CODE));
    }
  }

  @Test
  void everyDeviceOfTheVersionIsAmongThem() throws IOException {
    try (InputStream in =
        new BufferedInputStream(Files.newInputStream(GoldenFiles.file("1.0", "every-device")))) {
      SnapshotInspection inspection = SnapshotInspection.of(in, SnapshotLimits.standard());
      assertThat(inspection.machine().orElseThrow().devices())
          .extracting(MachineDescription.Device::type)
          .containsExactlyInAnyOrderElementsOf(TYPES_OF_1_0);
    }
  }

  @Test
  void optionalChunksThatAreNotKnownAreWrittenAgain() throws IOException {
    Path unknown =
        Path.of("../vmm-snapshot/src/test/resources/io/vmm4j/snapshot/corpus/unknown-chunks.vmm");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Snapshot read = Snapshot.read(unknown)) {
      read.writeTo(out);
    }
    SnapshotInspection again =
        SnapshotInspection.of(
            new ByteArrayInputStream(out.toByteArray()), SnapshotLimits.standard());
    assertThat(again.whole()).isTrue();
    assertThat(again.chunks())
        .extracting(SnapshotInspection.Chunk::kind)
        .contains("remark", "blob");
  }

  @Test
  void theGuestComesToItsVerdictWithVectorsToo() throws IOException {
    VmSpec spec =
        GoldenGuest.spec(directory, ClockMode.VIRTUAL, true).toBuilder()
            .cpuModel(CpuModel.V3)
            .build();
    try (Vm vm = Vm.start(spec)) {
      vm.awaitExit(LONG);
      assertThat(vm.console("com1").transcript()).isEqualTo(GoldenGuest.VERDICT);
    }
  }

  @Test
  void theGuestComesToItsVerdictWithoutASnapshotToo() throws IOException {
    try (Vm vm = Vm.start(GoldenGuest.spec(directory, ClockMode.VIRTUAL, true))) {
      VmExit exit = vm.awaitExit(LONG);
      assertThat(vm.console("com1").transcript()).isEqualTo(GoldenGuest.VERDICT);
      assertThat(exit).isEqualTo(new VmExit.DebugExit(GoldenGuest.EXIT_CODE));
    }
  }
}
