package io.vmm4j.snapshot;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory in one piece that begins at a page: read as a stream, or opened to be mapped. */
class MappedLayoutTest {
  private static final String RAM = MachineDescription.RAM;
  private static final SnapshotLimits LIMITS = SnapshotLimits.standard();

  @TempDir private Path directory;

  private final MemorySegment ram = SampleSnapshot.ram(SampleSnapshot.RAM_BYTES);
  private final MemorySegment rom = SampleSnapshot.ram(SampleSnapshot.ROM_BYTES);
  private byte[] bytes = new byte[0];
  private Path file = Path.of("");

  @BeforeEach
  void aMappedSnapshot() throws IOException {
    bytes = write(ram, rom);
    file = Files.write(directory.resolve("s.vmm"), bytes);
  }

  private static byte[] write(MemorySegment ram, MemorySegment rom) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = SnapshotWriter.mapped(out)) {
      write(writer, ram, rom);
    }
    return out.toByteArray();
  }

  private static void write(SnapshotWriter writer, MemorySegment ram, MemorySegment rom)
      throws IOException {
    writer.prologue(SampleSnapshot.PROLOGUE);
    writer.machine(SampleSnapshot.machine(ram.byteSize()));
    writer.state(SampleSnapshot.uart());
    writer.mapping(SampleSnapshot.mapping());
    writer.memory(RAM, MemorySource.of(ram));
    writer.memory(SampleSnapshot.ROM, MemorySource.of(rom));
    writer.finish();
  }

  private static MappedSnapshot open(Path file) throws IOException {
    return MappedSnapshot.open(file, LIMITS).orElseThrow();
  }

  @Test
  void asAStreamItIsReadAndCheckedAsAnyOther() throws IOException {
    // given: memory of many blocks, so that several threads take part
    MemorySegment large = SampleSnapshot.ram((33L << 20) + 4096);
    large.asSlice(6L << 20, 9L << 20).fill((byte) 0);

    for (MemorySegment memory : List.of(ram, large)) {
      // when
      byte[] mapped = write(memory, rom);
      SampleSnapshot.Read read = SampleSnapshot.read(mapped);

      // then
      byte[] other = SampleSnapshot.write(SnapshotCompression.NONE, memory, rom);
      SnapshotPlan plan = SampleSnapshot.read(other).plan();
      assertThat(read.memory().get(RAM).mismatch(memory)).isEqualTo(-1);
      assertThat(read.memory().get(SampleSnapshot.ROM).mismatch(rom)).isEqualTo(-1);
      assertThat(read.plan().digest().memorySha256()).isEqualTo(plan.digest().memorySha256());
      assertThat(read.plan().memoryDigest()).isEqualTo(plan.memoryDigest());
      assertThat(read.plan().prologue().features()).containsExactly("mapped");
      assertThat(read.plan().leftovers().chunks()).isEmpty();
      MemoryMakeUp makeUp = read.plan().memory().getFirst();
      assertThat(makeUp.dataBytes()).isEqualTo(plan.memory().getFirst().dataBytes());
      assertThat(makeUp.fillBytes()).isEqualTo(plan.memory().getFirst().fillBytes());
      assertThat(makeUp.zeroBytes()).isEqualTo(plan.memory().getFirst().zeroBytes());
      assertThat(makeUp.storedBytes()).isEqualTo(memory.byteSize());
    }
  }

  @Test
  void openedItTellsAllButTheMemoryAndMapsThat() throws IOException {
    try (MappedSnapshot opened = open(file);
        Arena arena = Arena.ofShared()) {
      // then
      SnapshotPlan plan = SampleSnapshot.read(bytes).plan();
      assertThat(opened.plan().machine()).isEqualTo(plan.machine());
      assertThat(opened.plan().states()).isEqualTo(plan.states());
      assertThat(opened.plan().mappings()).isEqualTo(plan.mappings());
      assertThat(opened.plan().digest()).isEqualTo(plan.digest());
      assertThat(opened.plan().memory()).isEmpty();
      assertThat(opened.plan().memoryDigest()).isEmpty();
      assertThat(opened.imagePosition() % 4096).isZero();
      assertThat(opened.imageBytes()).isEqualTo(ram.byteSize() + rom.byteSize());
      assertThat(opened.regionOffset(SampleSnapshot.ROM)).isEqualTo(ram.byteSize());

      // when
      MemorySegment memory = opened.mapPrivately(arena).orElseThrow();

      // then
      assertThat(memory.asSlice(0, ram.byteSize()).mismatch(ram)).isEqualTo(-1);
      assertThat(memory.asSlice(ram.byteSize()).mismatch(rom)).isEqualTo(-1);
      assertThat(opened.mapReadOnly(arena).mismatch(memory)).isEqualTo(-1);
      assertThat(MemoryDigest.compute(opened.plan().machine().regions(), opened::source).sha256())
          .isEqualTo(plan.digest().memorySha256());

      // when
      memory.fill((byte) 1);

      // then: that stays private
      assertThat(file).hasBinaryContent(bytes);
      assertThat(opened.stillTheSame()).isTrue();
    }
  }

  @Test
  void aFileWithHolesHasTheSameBytesAndTakesLessRoom() throws IOException {
    // given: 64 MiB, four pages of which are not zeros
    MemorySegment sparse = MemorySegment.ofArray(new long[8 << 20]);
    for (long at = 0; at < 64L << 20; at += 16L << 20) {
      sparse.set(ValueLayout.JAVA_BYTE, at + 5000, (byte) 1);
    }
    Path target = directory.resolve("sparse.vmm");

    // when
    AtomicFileWriter.writeSparse(
        target,
        out -> {
          try (SnapshotWriter writer = SnapshotWriter.mapped(out)) {
            write(writer, sparse, rom);
          }
        });

    // then
    assertThat(target).hasBinaryContent(write(sparse, rom));
    assertThat(allocatedBytes(target)).isLessThan(4 << 20);
  }

  @Test
  void blocksThatAreKnownToBeZerosAreNotLookedAtAndWrittenAlike() throws IOException {
    // given: memory of 40 MiB whose last block alone is not zeros
    MemorySegment memory = MemorySegment.ofArray(new long[5 << 20]);
    long last = memory.byteSize() - SnapshotFormat.BLOCK_BYTES;
    memory.set(ValueLayout.JAVA_BYTE, last + 5000, (byte) 1);
    MemorySource knowing =
        new MemorySource() {
          @Override
          public long size() {
            return memory.byteSize();
          }

          @Override
          public MemorySegment piece(long offset, MemorySegment buffer, int length) {
            assertThat(offset).isEqualTo(last);
            return memory.asSlice(offset, length);
          }

          @Override
          public boolean isZero(long offset, int length) {
            return offset != last;
          }
        };

    // when, then
    assertThat(write(SnapshotWriter::mapped, knowing))
        .isEqualTo(write(SnapshotWriter::mapped, MemorySource.of(memory)));
    assertThat(write(out -> new SnapshotWriter(out, SnapshotCompression.FAST), knowing))
        .isEqualTo(
            write(
                out -> new SnapshotWriter(out, SnapshotCompression.FAST), MemorySource.of(memory)));
    List<MachineDescription.Region> ram =
        List.of(new MachineDescription.Region(RAM, memory.byteSize()));
    assertThat(MemoryDigest.compute(ram, region -> knowing))
        .isEqualTo(MemoryDigest.compute(ram, region -> MemorySource.of(memory)));
  }

  private byte[] write(Function<OutputStream, SnapshotWriter> layout, MemorySource memory)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = layout.apply(out)) {
      writer.prologue(SampleSnapshot.PROLOGUE);
      writer.machine(SampleSnapshot.machine(memory.size()));
      writer.memory(RAM, memory);
      writer.memory(SampleSnapshot.ROM, MemorySource.of(rom));
      writer.finish();
    }
    return out.toByteArray();
  }

  /** What a file takes, of which Java knows nothing. */
  private static long allocatedBytes(Path target) throws IOException {
    Process stat = new ProcessBuilder("stat", "-c", "%b", target.toString()).start();
    return 512 * Long.parseLong(new String(stat.getInputStream().readAllBytes(), US_ASCII).strip());
  }

  @Test
  void holesAreLeftOnlyWhereWholePagesAreZeros() throws IOException {
    // given: pieces of all lengths and places
    java.util.Random random = new java.util.Random(5);
    byte[] contents = new byte[200_000];
    for (int at = 0; at < contents.length; at += random.nextInt(20_000)) {
      contents[at] = 1;
    }
    for (int end : new int[] {0, 1, 4096, 8191, 8192, 199_000, 200_000}) {
      Path target = directory.resolve("out" + end);

      // when
      AtomicFileWriter.writeSparse(
          target,
          out -> {
            for (int at = 0; at < end; ) {
              int piece = Math.min(end - at, 1 + random.nextInt(30_000));
              out.write(contents, at, piece);
              at += piece;
            }
          });

      // then
      assertThat(target).hasBinaryContent(Arrays.copyOf(contents, end));
    }
  }

  @Test
  void aFileInTheOtherLayoutOrAPipeIsNotOpened() throws Exception {
    // given
    Path other =
        Files.write(directory.resolve("o.vmm"), SampleSnapshot.bytes(SnapshotCompression.SMALL));
    Path pipe = directory.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();

    // when, then: a pipe that was opened would block
    assertThat(MappedSnapshot.open(other, LIMITS)).isEmpty();
    assertThat(MappedSnapshot.open(pipe, LIMITS)).isEmpty();
    assertThat(MappedSnapshot.open(directory, LIMITS)).isEmpty();
    assertThatThrownBy(() -> MappedSnapshot.open(directory.resolve("none"), LIMITS))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void aFileThatChangesUnderneathIsNoticed() throws IOException {
    // when, then: it is written to
    try (MappedSnapshot opened = open(file)) {
      try (RandomAccessFile writing = new RandomAccessFile(file.toFile(), "rw")) {
        writing.seek(opened.imagePosition());
        writing.write(1);
      }
      // The clock of the file system may not have moved on since it was written.
      Files.setLastModifiedTime(file, FileTime.fromMillis(1));
      assertThat(opened.state()).isEqualTo(MappedSnapshot.State.CHANGED);
      assertThat(opened.stillTheSame()).isFalse();
    }
    // it is cut, and its time set back
    Files.write(file, bytes);
    try (MappedSnapshot opened = open(file)) {
      FileTime time = Files.getLastModifiedTime(file);
      try (RandomAccessFile writing = new RandomAccessFile(file.toFile(), "rw")) {
        writing.setLength(bytes.length - 1);
      }
      Files.setLastModifiedTime(file, time);
      assertThat(opened.state()).isEqualTo(MappedSnapshot.State.CHANGED);
    }
    // it is replaced as a whole
    Files.write(file, bytes);
    try (MappedSnapshot opened = open(file);
        Arena arena = Arena.ofShared()) {
      MemorySegment memory = opened.mapPrivately(arena).orElseThrow();
      Path next = Files.write(directory.resolve("next"), new byte[bytes.length]);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
      assertThat(opened.state()).isEqualTo(MappedSnapshot.State.REPLACED);
      assertThat(memory.asSlice(0, ram.byteSize()).mismatch(ram)).as("it lives on").isEqualTo(-1);
      Files.delete(file);
      assertThat(opened.state()).isEqualTo(MappedSnapshot.State.REPLACED);
    }
  }

  @Test
  void everyTruncationIsNamedAsOneWhicheverWayItIsRead() throws IOException {
    for (int length = 0;
        length < bytes.length;
        length += length > 8000 && length < 70_000 ? 997 : 1) {
      // when
      byte[] cut = Arrays.copyOf(bytes, length);
      Throwable read = catchThrowable(() -> SampleSnapshot.read(cut));
      Files.write(file, cut);
      Throwable opened = catchThrowable(() -> open(file));

      // then
      for (Throwable thrown : new Throwable[] {read, opened}) {
        assertThat(thrown).isInstanceOf(SnapshotException.Truncated.class);
        assertThat(((SnapshotException.Truncated) thrown).offset()).isEqualTo(length);
      }
    }
  }

  @Test
  void everyFlippedByteIsFoundInTheStreamAndOutsideOfTheMemoryInTheFile() throws IOException {
    // given
    long image;
    try (MappedSnapshot opened = open(file)) {
      image = opened.imagePosition();
    }
    for (int at = 0; at < bytes.length; at += at > 8000 && at < 70_000 ? 509 : 1) {
      // when
      byte[] damaged = bytes.clone();
      damaged[at] ^= (byte) 0x81;
      Throwable read = catchThrowable(() -> SampleSnapshot.read(damaged));
      Files.write(file, damaged);
      Throwable opened = catchThrowable(() -> open(file).close());

      // then
      assertThat(read).as("read: byte %d", at).isInstanceOf(SnapshotException.class);
      // The memory's checksum and the digest of the file are taken on trust, as is that of memory.
      boolean trusted = at >= image && at < image + ram.byteSize() + rom.byteSize() + 5;
      if (trusted) {
        assertThat(opened)
            .satisfiesAnyOf(
                thrown -> assertThat(thrown).isNull(),
                thrown -> assertThat(thrown).isInstanceOf(SnapshotException.class));
      } else {
        assertThat(opened).as("opened: byte %d", at).isInstanceOf(SnapshotException.class);
      }
    }
  }

  @Test
  void theWriterHoldsToTheLayout() throws IOException {
    MemoryDigest digest = SampleSnapshot.read(bytes).plan().memoryDigest().orElseThrow();
    Prologue delta = SampleSnapshot.PROLOGUE.withParent(new java.util.UUID(1, 1), digest);
    try (SnapshotWriter writer = SnapshotWriter.mapped(new ByteArrayOutputStream())) {
      assertThatThrownBy(() -> writer.prologue(delta, digest))
          .isInstanceOf(IllegalArgumentException.class);
      writer.prologue(SampleSnapshot.PROLOGUE);
      writer.machine(SampleSnapshot.machine(ram.byteSize()));
      assertThatThrownBy(() -> writer.memory(SampleSnapshot.ROM, MemorySource.of(rom)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'ram' comes next");
      writer.memory(RAM, MemorySource.of(ram));
      assertThatThrownBy(() -> writer.state(SampleSnapshot.uart()))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aMappedSnapshotCanBeAParentAndAChainBecomesOne() throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.SMALL, 3 << 20);
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    Chain.Link first = chain.snapshot();
    chain.touch(RAM, 700).fill((byte) 7);
    Chain.Link second = chain.snapshot();

    // when
    byte[] mappedFirst = flatten(first.bytes(), SnapshotResolver.none());
    byte[] mappedSecond = flatten(second.bytes(), (id, digest) -> chain.streams.of(mappedFirst));

    // then
    SampleSnapshot.Read read = SampleSnapshot.read(mappedSecond);
    assertThat(read.memory().get(RAM).mismatch(chain.memory.get(RAM))).isEqualTo(-1);
    assertThat(read.plan().memoryDigest()).contains(second.digest());
    assertThat(read.plan().prologue().id()).isEqualTo(second.id());
  }

  private static byte[] flatten(byte[] newest, SnapshotResolver parents) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = SnapshotWriter.mapped(out)) {
      SnapshotFlattener.flatten(new ByteArrayInputStream(newest), parents, LIMITS, writer);
    }
    return out.toByteArray();
  }

  private static FieldMap place(String region, long offset, long length) {
    return Forgery.fields("region", region, "offset", offset, "bytes", length);
  }

  private Throwable forging(Object features, Forgery.Chunks chunks, int count) throws IOException {
    byte[] forged =
        Forgery.of(Forgery.prologue().with("features", features), Forgery.machine(), count, chunks);
    Files.write(file, forged);
    Throwable read = catchThrowable(() -> SampleSnapshot.read(forged));
    if (!features.equals(List.of())) {
      assertThat(catchThrowable(() -> open(file))).hasSameClassAs(read);
    }
    return read;
  }

  @Test
  void anImageThatDoesNotFitTheMachineIsCorrupt() throws IOException {
    FieldMap good = place(RAM, 0, SampleSnapshot.RAM_BYTES);
    FieldMap goodRom = place(SampleSnapshot.ROM, SampleSnapshot.RAM_BYTES, 8192);
    int total = (int) SampleSnapshot.RAM_BYTES + 8192;
    record Bad(Object regions, int length) {}
    for (Bad bad :
        List.of(
            new Bad(List.of(good), total),
            new Bad("none", total),
            new Bad(List.of(good, good), total),
            new Bad(List.of(goodRom, good), total),
            new Bad(List.of(good, "rom"), total),
            new Bad(List.of(good, place(SampleSnapshot.ROM, 0, 8192)), total),
            new Bad(
                List.of(good, place(SampleSnapshot.ROM, SampleSnapshot.RAM_BYTES, 4096)), total),
            new Bad(List.of(good, goodRom), total - 1),
            new Bad(List.of(good, goodRom), 0),
            // right but for its place, which is no multiple of a page
            new Bad(List.of(good, goodRom), total))) {
      byte[] body = new byte[bad.length];

      assertThat(
              forging(
                  List.of("mapped"),
                  out ->
                      out.chunk(
                          "memory-image",
                          true,
                          Forgery.fields("regions", bad.regions),
                          body,
                          body.length,
                          Forgery.crc(body)),
                  1))
          .isInstanceOf(SnapshotException.Corrupt.class);
    }
  }

  @Test
  void theTwoLayoutsDoNotMix() throws IOException {
    FieldMap block =
        Forgery.fields(
            "region", "ram", "offset", 0L, "compression", "none", "pages", List.of(0L, 16L));

    assertThat(forging(List.of("mapped"), out -> {}, 0))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("no memory image");
    assertThat(
            forging(
                List.of("mapped"), out -> out.chunk("memory", true, block, new byte[0], 0, 0), 1))
        .isInstanceOf(SnapshotException.Corrupt.class);
    assertThat(
            forging(
                List.of(),
                out -> out.chunk("memory-image", true, FieldMap.of(Map.of()), new byte[0], 0, 0),
                1))
        .isInstanceOf(SnapshotException.Corrupt.class);
    FieldMap delta =
        Forgery.prologue()
            .with("features", List.of("mapped"))
            .with("parentId", new java.util.UUID(1, 1).toString())
            .with("parentSha256", new byte[32]);
    assertThatThrownBy(() -> SampleSnapshot.read(Forgery.of(delta, Forgery.machine(), 0, o -> {})))
        .isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void anImageBeyondTheLimitsIsRefusedBeforeItIsRead() {
    SnapshotLimits small =
        new SnapshotLimits(MemorySize.kibibytes(16), 100, MemorySize.mebibytes(1));

    assertThatThrownBy(() -> MappedSnapshot.open(file, small))
        .isInstanceOf(SnapshotException.Incompatible.class);
    assertThatThrownBy(() ->
            new SnapshotReader(new ByteArrayInputStream(bytes), small).read(machine -> Map.of()))
        .isInstanceOf(SnapshotException.Incompatible.class);
  }

  @Test
  void anImageMayBeLongerThanTheLimitOfOtherChunks() throws IOException {
    SnapshotLimits small =
        new SnapshotLimits(MemorySize.kibibytes(128), 100, MemorySize.kibibytes(16));

    assertThat(
            new SnapshotReader(new ByteArrayInputStream(bytes), small)
                .read(machine -> Map.of())
                .memoryDigest())
        .isEqualTo(SampleSnapshot.read(bytes).plan().memoryDigest());
    try (MappedSnapshot opened = MappedSnapshot.open(file, small).orElseThrow()) {
      assertThat(opened.plan().states()).hasSize(1);
    }
  }
}
