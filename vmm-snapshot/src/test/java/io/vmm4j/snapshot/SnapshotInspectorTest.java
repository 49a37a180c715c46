package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.memory.GuestMemoryException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotInspectorTest {
  private static final long RAM = SampleSnapshot.RAM_BYTES;

  @TempDir Path directory;

  private static SnapshotInspector inspect(byte[] bytes) throws IOException {
    return SnapshotInspector.read(
        new ByteArrayInputStream(bytes), SnapshotLimits.standard(), SnapshotResolver.none());
  }

  private static byte[] contents(MemorySegment memory, long from, int length) {
    return memory.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void machineDevicesAndProcessorAreThere() throws IOException {
    Path file =
        Files.write(directory.resolve("a.vmm"), SampleSnapshot.bytes(SnapshotCompression.NONE));
    try (SnapshotInspector snapshot = SnapshotInspector.open(file)) {
      assertThat(snapshot.whole()).isTrue();
      assertThat(snapshot.prologue()).isEqualTo(SampleSnapshot.PROLOGUE);
      assertThat(snapshot.machine()).isEqualTo(SampleSnapshot.machine(RAM));
      assertThat(snapshot.devices())
          .extracting(SnapshotInspector.Device::path)
          .containsExactly("com1", "bootrom");
      assertThat(snapshot.device("com1"))
          .hasValueSatisfying(com1 -> {
            assertThat(com1.configFields().get("port")).isEqualTo(0x3F8L);
            assertThat(com1.stateVersion()).isEqualTo(3);
            assertThat(com1.stateFields()).isEqualTo(SampleSnapshot.uart().fields());
          });
      assertThat(snapshot.device("bootrom").orElseThrow().stateVersion()).isZero();
      assertThat(snapshot.vcpu(0).activity()).isEqualTo(ActivityState.HALTED);
      assertThatThrownBy(() -> snapshot.vcpu(1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no vCPU 1");
    }
  }

  @Test
  void memoryIsReadWhereTheGuestSeesIt() throws IOException {
    // given the second page of the ROM at 0xFFFFF000
    MemorySegment ram = SampleSnapshot.ram(RAM);
    MemorySegment rom = SampleSnapshot.ram(SampleSnapshot.ROM_BYTES);
    try (SnapshotInspector snapshot =
        inspect(SampleSnapshot.write(SnapshotCompression.FAST, ram, rom))) {
      // then
      assertThat(snapshot.memoryMap())
          .containsExactly(
              new SnapshotInspector.MemoryRange(0, RAM, "ram", 0, GuestAccess.READ_WRITE),
              new SnapshotInspector.MemoryRange(
                  0xFFFF_F000L, 4096, SampleSnapshot.ROM, 4096, GuestAccess.READ_ONLY));
      assertThat(snapshot.read(4000, 8192)).isEqualTo(contents(ram, 4000, 8192));
      assertThat(snapshot.read(0xFFFF_F010L, 100)).isEqualTo(contents(rom, 4096 + 16, 100));
      assertThat(snapshot.read(0xFFFF_F010L, 0)).isEmpty();
      assertThat(snapshot.region(SampleSnapshot.ROM).mismatch(rom)).isEqualTo(-1);
      assertThat(snapshot.region("ram").isReadOnly()).isTrue();
    }
  }

  @Test
  void whereThereIsNoMemoryNothingIsRead() throws IOException {
    try (SnapshotInspector snapshot = inspect(SampleSnapshot.bytes(SnapshotCompression.NONE))) {
      for (long address : new long[] {RAM, RAM - 1, 0xFFFF_FFFFL, -1, Long.MIN_VALUE}) {
        assertThatThrownBy(() -> snapshot.read(address, 2))
            .as("at %x", address)
            .isInstanceOf(GuestMemoryException.class);
      }
      assertThatThrownBy(() -> snapshot.region("disk"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("disk");
    }
  }

  @Test
  void aMappingHidesTheRamBelowItAndNoMore() {
    // given a mapping in the middle of the RAM, one that is off, one no guest can reach
    MachineDescription machine = SampleSnapshot.machine(RAM);
    List<MappingState> mappings =
        List.of(
            mapping("middle", 0x3000, GuestAccess.READ_WRITE),
            mapping("off", 0x8000, GuestAccess.OFF),
            mapping("nowhere", -4096, GuestAccess.READ_ONLY),
            mapping("beyond", 1L << 52, GuestAccess.READ_ONLY));

    // when
    GuestAddressSpace space = new GuestAddressSpace(machine, mappings);

    // then
    assertThat(space.ranges())
        .containsExactly(
            new SnapshotInspector.MemoryRange(0, 0x3000, "ram", 0, GuestAccess.READ_WRITE),
            new SnapshotInspector.MemoryRange(
                0x3000, 4096, SampleSnapshot.ROM, 4096, GuestAccess.READ_WRITE),
            new SnapshotInspector.MemoryRange(
                0x4000, RAM - 0x4000, "ram", 0x4000, GuestAccess.READ_WRITE));
    assertThat(space.at(0x3FFF)).hasValueSatisfying(r -> assertThat(r.region()).contains("rom"));
    assertThat(space.at(RAM)).isEmpty();
  }

  private static MappingState mapping(String name, long address, GuestAccess access) {
    return new MappingState("bootrom", "rom", name, 4096, 4096, address, access);
  }

  @Test
  void pagesThatAreNotZeroHaveDigests() throws IOException {
    // given
    MemorySegment ram = SampleSnapshot.ram(RAM);
    byte[] bytes =
        SampleSnapshot.write(
            SnapshotCompression.NONE, ram, SampleSnapshot.ram(SampleSnapshot.ROM_BYTES));
    try (SnapshotInspector snapshot = inspect(bytes)) {
      // when
      Map<Long, String> digests = snapshot.pageDigests("ram");

      // then
      for (long at = 0; at < RAM; at += 4096) {
        byte[] page = contents(ram, at, 4096);
        String expected = java.util.HexFormat.of().formatHex(ChunkOutput.sha256().digest(page));
        assertThat(digests.get(at))
            .as("page at %x", at)
            .isEqualTo(Arrays.equals(page, new byte[4096]) ? null : expected);
      }
    }
  }

  @Test
  void ofADamagedSnapshotThereIsWhatComesBeforeTheDamage() throws IOException {
    byte[] whole = SampleSnapshot.bytes(SnapshotCompression.NONE);
    try (SnapshotInspector snapshot = inspect(Arrays.copyOf(whole, whole.length - 200))) {
      assertThat(snapshot.whole()).isFalse();
      assertThat(snapshot.fault()).containsInstanceOf(SnapshotException.Truncated.class);
      assertThat(snapshot.read(0, 4096)).isEqualTo(contents(SampleSnapshot.ram(RAM), 0, 4096));
    }
    try (SnapshotInspector snapshot = inspect(new byte[64])) {
      assertThat(snapshot.memoryMap()).isEmpty();
      assertThatThrownBy(snapshot::machine).isInstanceOf(SnapshotException.Corrupt.class);
      assertThatThrownBy(() -> snapshot.read(0, 1)).isInstanceOf(GuestMemoryException.class);
    }
  }

  @Test
  void closedItHasNoMemoryAnyMore() throws IOException {
    SnapshotInspector snapshot = inspect(SampleSnapshot.bytes(SnapshotCompression.NONE));
    snapshot.close();
    snapshot.close();

    assertThatThrownBy(() -> snapshot.read(0, 1)).isInstanceOf(IllegalStateException.class);
  }
}
