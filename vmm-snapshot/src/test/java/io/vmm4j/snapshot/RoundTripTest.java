package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotCompression;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written is read back, whatever the stream. */
class RoundTripTest {

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void everyConstructComesBackAsItWasWritten(SnapshotCompression compression) throws IOException {
    // given
    MemorySegment ram = SampleSnapshot.ram(SampleSnapshot.RAM_BYTES);
    MemorySegment rom = SampleSnapshot.ram(SampleSnapshot.ROM_BYTES);

    // when
    SampleSnapshot.Read read = SampleSnapshot.read(SampleSnapshot.write(compression, ram, rom));

    // then
    SnapshotPlan plan = read.plan();
    assertThat(plan.prologue()).isEqualTo(SampleSnapshot.PROLOGUE);
    assertThat(plan.machine()).isEqualTo(SampleSnapshot.machine(SampleSnapshot.RAM_BYTES));
    assertThat(plan.mappings()).containsExactly(SampleSnapshot.mapping());
    StateChunk uart = plan.requireState("uart16550", "com1");
    assertThat(uart.version()).isEqualTo(3);
    assertThat(uart.critical()).isTrue();
    assertThat(uart.fields()).isEqualTo(SampleSnapshot.uart().fields());
    assertThat(
            MachineSchemas.CPU.toFields(
                plan.requireState("vcpu", "vcpu/0").decode(MachineSchemas.CPU)))
        .isEqualTo(MachineSchemas.CPU.toFields(SampleSnapshot.cpu()));
    assertThat(read.memory().get(MachineDescription.RAM).mismatch(ram)).isEqualTo(-1);
    assertThat(read.memory().get(SampleSnapshot.ROM).mismatch(rom)).isEqualTo(-1);
    assertThat(plan.leftovers().chunks()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void aSnapshotReadAndWrittenAgainHasTheSameBytes(SnapshotCompression compression)
      throws IOException {
    // given
    byte[] first = SampleSnapshot.bytes(compression);

    // when
    byte[] second = SampleSnapshot.read(first).write(compression);

    // then
    assertThat(second).isEqualTo(first);
  }

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void memoryOfManyBlocksComesBackThroughSeveralThreads(SnapshotCompression compression)
      throws IOException {
    // given: not a whole number of blocks, and a gap of zeros
    MemorySegment ram = SampleSnapshot.ram((33L << 20) + 4096);
    ram.asSlice(6L << 20, 9L << 20).fill((byte) 0);
    MemorySegment rom = SampleSnapshot.ram(SampleSnapshot.ROM_BYTES);

    // when
    byte[] bytes = SampleSnapshot.write(compression, ram, rom);
    SampleSnapshot.Read read = SampleSnapshot.read(bytes);

    // then
    assertThat(read.memory().get(MachineDescription.RAM).mismatch(ram)).isEqualTo(-1);
    MemoryMakeUp makeUp = read.plan().memory().getFirst();
    assertThat(makeUp.zeroBytes() + makeUp.fillBytes() + makeUp.dataBytes())
        .isEqualTo(ram.byteSize());
    assertThat(makeUp.blocks()).as("17 blocks, 4 of them of zeros").isEqualTo(13);
    assertThat((long) bytes.length).isLessThan(makeUp.fillBytes() + makeUp.dataBytes());
    assertThat(read.write(compression)).isEqualTo(bytes);
  }

  @Test
  void memoryOfZerosTakesNoChunk() throws IOException {
    // given
    MemorySegment zeros = MemorySegment.ofArray(new long[1 << 20]);

    // when
    byte[] bytes =
        SampleSnapshot.write(
            SnapshotCompression.NONE, zeros, SampleSnapshot.ram(SampleSnapshot.ROM_BYTES));

    // then
    MemoryMakeUp ram = SampleSnapshot.read(bytes).plan().memory().getFirst();
    assertThat(ram.zeroBytes()).isEqualTo(8 << 20);
    assertThat(ram.blocks()).isZero();
  }

  @Test
  void aPageThatDiffersInItsLastByteOnlyIsData() throws IOException {
    // given
    MemorySegment ram = MemorySegment.ofArray(new long[8192]);
    ram.set(ValueLayout.JAVA_BYTE, 4095, (byte) 1);
    ram.set(ValueLayout.JAVA_BYTE, 8192, (byte) 1);
    ram.set(ValueLayout.JAVA_BYTE, 3 * 4096 + 2000, (byte) 1);

    // when
    SampleSnapshot.Read read =
        SampleSnapshot.read(
            SampleSnapshot.write(
                SnapshotCompression.NONE, ram, SampleSnapshot.ram(SampleSnapshot.ROM_BYTES)));

    // then
    assertThat(read.memory().get(MachineDescription.RAM).mismatch(ram)).isEqualTo(-1);
    assertThat(read.plan().memory().getFirst().dataBytes()).isEqualTo(3 * 4096);
  }

  @Test
  void whatFollowsTheFooterIsLeftInTheStream() throws IOException {
    // given
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.SMALL);
    byte[] more = Arrays.copyOf(bytes, bytes.length + 3);
    more[bytes.length] = 'E';
    InputStream in = new ByteArrayInputStream(more);

    // when
    SampleSnapshot.read(in);

    // then
    assertThat(in.readAllBytes()).containsExactly('E', 0, 0);
  }

  @Test
  void twoSnapshotsInOneStreamAreReadOneAfterTheOther() throws IOException {
    // given
    byte[] one = SampleSnapshot.bytes(SnapshotCompression.NONE);
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.write(one);
    both.write(one);
    InputStream in = new ByteArrayInputStream(both.toByteArray());

    // when
    SampleSnapshot.Read first = SampleSnapshot.read(in);
    SampleSnapshot.Read second = SampleSnapshot.read(in);

    // then
    assertThat(second.plan()).isEqualTo(first.plan());
  }

  @Test
  void aStreamThatGivesOneByteAtATimeWillDo() throws IOException {
    // given
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.SMALL);
    InputStream trickle =
        new FilterInputStream(new ByteArrayInputStream(bytes)) {
          @Override
          public int read(byte[] target, int offset, int length) throws IOException {
            return super.read(target, offset, Math.min(length, 1));
          }
        };

    // when
    SampleSnapshot.Read read = SampleSnapshot.read(trickle);

    // then
    assertThat(read.write(SnapshotCompression.SMALL)).isEqualTo(bytes);
  }

  @Test
  void itPassesThroughGzip() throws IOException {
    // given
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.NONE);
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write(bytes);
    }

    // when
    SampleSnapshot.Read read =
        SampleSnapshot.read(new GZIPInputStream(new ByteArrayInputStream(zipped.toByteArray())));

    // then
    assertThat(read.write(SnapshotCompression.NONE)).isEqualTo(bytes);
  }

  @Test
  void memoryIsReadFromAFileAsFromASegment(@TempDir Path directory) throws IOException {
    // given
    MemorySegment ram = SampleSnapshot.ram(SampleSnapshot.RAM_BYTES);
    Path file = directory.resolve("ram");
    byte[] contents = ram.toArray(ValueLayout.JAVA_BYTE);
    Files.write(file, contents);
    try (SharedFile shared = SharedFile.open(file)) {

      // when
      MemorySource source = MemorySource.of(shared, 4096, contents.length - 4096);
      MemorySegment buffer = MemorySegment.ofArray(new byte[8192]);
      MemorySegment piece = source.piece(4096, buffer, 8192);

      // then
      assertThat(source.size()).isEqualTo(contents.length - 4096);
      assertThat(piece.mismatch(ram.asSlice(8192, 8192))).isEqualTo(-1);
      assertThatThrownBy(() -> source.piece(contents.length - 8192, buffer, 8192))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("shorter");
    }
  }
}
