package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SnapshotDifferenceTest {

  private static byte[] write(MachineDescription machine, StateChunk state, MemorySegment ram)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.FAST)) {
      writer.prologue(SampleSnapshot.PROLOGUE);
      writer.machine(machine);
      writer.state(state);
      writer.mapping(SampleSnapshot.mapping());
      writer.memory(MachineDescription.RAM, MemorySource.of(ram));
      writer.finish();
    }
    return out.toByteArray();
  }

  private static SnapshotInspector read(byte[] bytes) throws IOException {
    return SnapshotInspector.read(
        new ByteArrayInputStream(bytes), SnapshotLimits.standard(), SnapshotResolver.none());
  }

  private static SnapshotDifference between(byte[] first, byte[] second) throws IOException {
    try (SnapshotInspector one = read(first);
        SnapshotInspector two = read(second)) {
      return SnapshotDifference.between(one, two);
    }
  }

  @Test
  void betweenEqualSnapshotsThereIsNoneHoweverTheyAreStored() throws IOException {
    SnapshotDifference difference =
        between(
            SampleSnapshot.bytes(SnapshotCompression.NONE),
            SampleSnapshot.bytes(SnapshotCompression.FAST));

    assertThat(difference.isEmpty()).isTrue();
  }

  @Test
  void fieldsAndPagesThatDifferAreNamed() throws IOException {
    // given
    long size = SampleSnapshot.RAM_BYTES;
    StateChunk uart = SampleSnapshot.uart();
    StateChunk changed =
        new StateChunk(
            uart.type(),
            uart.path(),
            4,
            true,
            uart.fields()
                .with("ier", 2L)
                .with("list", List.of(1L, List.of("a", true)))
                .with("fifo", new byte[] {1, 2, 4})
                .without("open"),
            0);
    MemorySegment ram = SampleSnapshot.ram(size);
    byte[] before = write(SampleSnapshot.machine(size), uart, ram);
    for (long at : new long[] {4095, 4096, 8191, 40_000}) {
      ram.set(ValueLayout.JAVA_BYTE, at, (byte) (ram.get(ValueLayout.JAVA_BYTE, at) + 1));
    }

    // when
    SnapshotDifference difference =
        between(before, write(SampleSnapshot.machine(size), changed, ram));

    // then
    assertThat(difference.machine()).isEmpty();
    assertThat(difference.mappings()).isEmpty();
    assertThat(difference.states()).hasSize(1);
    SnapshotDifference.State state = difference.states().getFirst();
    assertThat(state.path()).isEqualTo("com1");
    assertThat(state.firstVersion()).isEqualTo(3);
    assertThat(state.secondVersion()).isEqualTo(4);
    assertThat(state.fields())
        .extracting(SnapshotDifference.Field::name)
        .containsExactlyInAnyOrder("ier", "open", "fifo", "list[1][1]", "list[2].x");
    assertThat(state.fields())
        .contains(new SnapshotDifference.Field("ier", Optional.of(1L), Optional.of(2L)))
        .contains(new SnapshotDifference.Field("open", Optional.of(true), Optional.empty()));
    assertThat(difference.memory())
        .containsExactly(
            new SnapshotDifference.Memory(
                "ram",
                size,
                size,
                3,
                List.of(
                    new SnapshotDifference.Range(0, 8192),
                    new SnapshotDifference.Range(36_864, 4096))));
  }

  @Test
  void machinesOfAnotherMakeDifferInTheirFieldsAndSizes() throws IOException {
    long size = SampleSnapshot.RAM_BYTES;
    MachineDescription small = SampleSnapshot.machine(size);
    MachineDescription large = SampleSnapshot.machine(2 * size);

    SnapshotDifference difference =
        between(
            write(small, SampleSnapshot.uart(), SampleSnapshot.ram(size)),
            write(
                large,
                new StateChunk(
                    "lamp", "desk", 1, true, FieldMap.of(java.util.Map.of("on", true)), 0),
                SampleSnapshot.ram(2 * size)));

    assertThat(difference.machine())
        .extracting(SnapshotDifference.Field::name)
        .contains("memoryBytes", "regions[0].bytes", "memoryMap[0].length");
    assertThat(difference.states())
        .extracting(
            SnapshotDifference.State::path,
            SnapshotDifference.State::firstVersion,
            SnapshotDifference.State::secondVersion)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("com1", 3, 0),
            org.assertj.core.groups.Tuple.tuple("desk", 0, 1));
    SnapshotDifference.Memory ram = difference.memory().getFirst();
    assertThat(ram.firstBytes()).isEqualTo(size);
    assertThat(ram.secondBytes()).isEqualTo(2 * size);
    assertThat(ram.differentPages()).isGreaterThanOrEqualTo(size / 4096);
  }
}
