package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SnapshotInspectionTest {

  private static SnapshotInspection inspect(byte[] bytes) throws IOException {
    return SnapshotInspection.of(new ByteArrayInputStream(bytes), SnapshotLimits.standard());
  }

  @Test
  void aWholeSnapshotTellsAllAboutItself() throws IOException {
    // given
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.SMALL);

    // when
    SnapshotInspection inspection = inspect(bytes);

    // then
    assertThat(inspection.whole()).isTrue();
    assertThat(inspection.bytes()).isEqualTo(bytes.length);
    assertThat(inspection.prologue()).contains(SampleSnapshot.PROLOGUE);
    assertThat(inspection.machine()).contains(SampleSnapshot.machine(SampleSnapshot.RAM_BYTES));
    assertThat(inspection.chunks())
        .extracting(
            SnapshotInspection.Chunk::kind,
            SnapshotInspection.Chunk::type,
            SnapshotInspection.Chunk::path,
            SnapshotInspection.Chunk::version)
        .containsExactly(
            tuple("machine", "", "", 1),
            tuple("state", "uart16550", "com1", 3),
            tuple("state", "vcpu", "vcpu/0", MachineSchemas.CPU.version()),
            tuple("mapping", "", "", 1));
    assertThat(inspection.chunks().get(1).fields()).contains(SampleSnapshot.uart().fields());
    assertThat(inspection.memory())
        .extracting(MemoryMakeUp::region, MemoryMakeUp::totalBytes)
        .containsExactly(tuple("ram", SampleSnapshot.RAM_BYTES), tuple(SampleSnapshot.ROM, 8192L));
    assertThat(inspection.memoryChunks()).isEqualTo(2);
    assertThat(inspection.digest().orElseThrow().chunkCount()).isEqualTo(6);
  }

  @Test
  void ofADamagedSnapshotItTellsWhatComesBeforeAndWhyItIsNotWhole() throws IOException {
    // given
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.NONE);
    byte[] cut = Arrays.copyOf(bytes, bytes.length - 200);

    // when
    SnapshotInspection inspection = inspect(cut);

    // then
    assertThat(inspection.whole()).isFalse();
    assertThat(inspection.fault()).containsInstanceOf(SnapshotException.Truncated.class);
    assertThat(inspection.machine()).isPresent();
    assertThat(inspection.chunks()).hasSize(4);
    assertThat(inspection.memory().getFirst().dataBytes()).isPositive();
    assertThat(inspection.digest()).isEmpty();
  }

  @Test
  void whatIsNoSnapshotIsSaidToBeNone() throws IOException {
    SnapshotInspection inspection = inspect(new byte[64]);

    assertThat(inspection.prologue()).isEmpty();
    assertThat(inspection.fault()).containsInstanceOf(SnapshotException.Corrupt.class);
  }
}
