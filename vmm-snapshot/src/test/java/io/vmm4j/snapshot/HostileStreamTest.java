package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Snapshots whose checksums are right and whose contents are not. */
class HostileStreamTest {

  private static final FieldMap NOTHING = FieldMap.of(Map.of());

  private static Throwable reading(byte[] bytes) {
    return catchThrowable(() -> SampleSnapshot.read(bytes));
  }

  @Test
  void anUnknownCriticalChunkIsRefusedByName() throws IOException {
    byte[] bytes = Forgery.of(1, out -> out.chunk("quantum", true, NOTHING, NOTHING));

    assertThat(reading(bytes))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("'quantum'");
  }

  @Test
  void anUnknownOptionalChunkIsPassedOverAndReported() throws IOException {
    // given
    byte[] body = {1, 2, 3};
    byte[] bytes =
        Forgery.of(
            3,
            out -> {
              out.chunk("comment", false, Forgery.fields("path", "who"), Forgery.fields("a", 1L));
              out.chunk("stuffing", false, NOTHING, body, 3, Forgery.crc(body));
              out.chunk("nothing", false, NOTHING, body, 0, 0);
            });

    // when
    SnapshotPlan plan = SampleSnapshot.read(bytes).plan();

    // then
    assertThat(plan.leftovers().chunks())
        .extracting(SkippedChunk::kind, SkippedChunk::name, chunk -> chunk.body().length)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("comment", "who", 4),
            org.assertj.core.groups.Tuple.tuple("stuffing", "", 3),
            org.assertj.core.groups.Tuple.tuple("nothing", "", 0));
  }

  @Test
  void anUnknownOptionalChunkIsCheckedNevertheless() throws IOException {
    byte[] bytes = Forgery.of(1, out -> out.chunk("x", false, NOTHING, new byte[9], 9, 12345));

    assertThat(reading(bytes))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("checksum");
  }

  @Test
  void containerVersionsThatAreNotReadAreToldApart() throws IOException {
    byte[] old = Forgery.of(Forgery.prologue().with("major", 0L), Forgery.machine(), 0, out -> {});
    byte[] later =
        Forgery.of(Forgery.prologue().with("major", 2L), Forgery.machine(), 0, out -> {});

    assertThat(reading(old)).isInstanceOf(SnapshotException.TooOld.class);
    assertThat(reading(later)).isInstanceOf(SnapshotException.TooNew.class);
  }

  @Test
  void aLaterMinorVersionAndUnknownFieldsAreTaken() throws IOException {
    byte[] bytes =
        Forgery.of(
            Forgery.prologue().with("minor", 9L).with("colour", "blue"),
            Forgery.machine().with("chassis", "rack"),
            1,
            out ->
                out.chunk(
                    "state",
                    false,
                    Forgery.fields("type", "t", "path", "p", "version", 1L, "mood", "good"),
                    Forgery.fields("new", 1L)));

    SnapshotPlan plan = SampleSnapshot.read(bytes).plan();

    assertThat(plan.prologue().minor()).isEqualTo(9);
    assertThat(plan.requireState("t", "p").fields().names()).containsExactly("new");
    assertThat(plan.unknownStates(state -> false)).hasSize(1);
  }

  @Test
  void anUnknownFeatureIsNamed() throws IOException {
    byte[] bytes =
        Forgery.of(
            Forgery.prologue().with("features", List.of("holograms")),
            Forgery.machine(),
            0,
            out -> {});

    assertThat(reading(bytes))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("holograms");
  }

  @Test
  void featuresOfProcessorsThatAReaderMustKnowAreNamed() throws IOException {
    Set<CpuFeature> features = CpuFeature.portable();
    features.add(CpuFeature.PKU);
    features.add(CpuFeature.BMI2);
    List<String> named = SampleSnapshot.PROLOGUE.withProcessors(features).features();

    assertThat(named).containsExactlyInAnyOrder("cpu:PKU", "cpu:BMI2");
    byte[] known =
        Forgery.of(Forgery.prologue().with("features", named), Forgery.machine(), 0, out -> {});
    assertThat(SampleSnapshot.read(known).plan().prologue().features()).isEqualTo(named);
    byte[] later =
        Forgery.of(
            Forgery.prologue().with("features", List.of("cpu:TELEPATHY")),
            Forgery.machine(),
            0,
            out -> {});
    assertThat(reading(later))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("cpu:TELEPATHY");
  }

  @Test
  void aDeltaAsksForItsParent() throws IOException {
    String parent = "99999999-89ab-cdef-0123-456789abcdef";
    byte[] bytes =
        Forgery.of(
            Forgery.prologue().with("parentId", parent).with("parentSha256", new byte[32]),
            Forgery.machine(),
            0,
            out -> {});

    assertThat(reading(bytes))
        .isInstanceOf(SnapshotException.MissingParent.class)
        .hasMessageContaining(parent);
  }

  @Test
  void aCriticalStateThatNobodyTakesIsNamed() throws IOException {
    SnapshotPlan plan = SampleSnapshot.read(SampleSnapshot.bytes(SnapshotCompression.NONE)).plan();

    assertThatThrownBy(() -> plan.unknownStates(state -> state.type().equals("vcpu")))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("com1")
        .hasMessageContaining("uart16550");
    assertThatThrownBy(() -> plan.requireState("rtc", "rtc"))
        .isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void aMachineBeyondTheLimitIsRefusedBeforeAnyMemoryIsAskedFor() throws IOException {
    // given
    long huge = 1L << 60;
    byte[] bytes =
        Forgery.of(
            Forgery.prologue(), MachineCodec.toFields(SampleSnapshot.machine(huge)), 0, out -> {});
    boolean[] asked = new boolean[1];

    // when
    Throwable thrown =
        catchThrowable(() ->
            new SnapshotReader(new ByteArrayInputStream(bytes), SnapshotLimits.standard())
                .read(machine -> {
                  asked[0] = true;
                  return Map.of();
                }));

    // then
    assertThat(thrown).isInstanceOf(SnapshotException.Incompatible.class);
    assertThat(asked[0]).isFalse();
  }

  @Test
  void regionsWhoseSumOverflowsAreBeyondTheLimit() throws IOException {
    MachineDescription sample = SampleSnapshot.machine(SampleSnapshot.RAM_BYTES);
    long most = Long.MAX_VALUE & -4096;
    List<FieldMap> regions =
        List.of(
            Forgery.fields("name", "ram", "bytes", sample.memoryBytes()),
            Forgery.fields("name", "a", "bytes", most),
            Forgery.fields("name", "b", "bytes", most),
            Forgery.fields("name", "c", "bytes", most));
    byte[] bytes =
        Forgery.of(Forgery.prologue(), Forgery.machine().with("regions", regions), 0, out -> {});

    assertThat(reading(bytes)).isInstanceOf(SnapshotException.Incompatible.class);
  }

  @Test
  void aLengthIsNotBelievedBeforeTheBytesAreThere() throws IOException {
    // given: a chunk that claims 60 MiB, within the limits, and has none
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    ChunkOutput out = new ChunkOutput(stream);
    out.prologue(Forgery.prologue());
    out.chunk("machine", true, Forgery.fields("version", 1L), Forgery.machine());
    out.chunk(
        "state",
        true,
        Forgery.fields("type", "t", "path", "p", "version", 1L, "length", 60L << 20),
        NOTHING);
    out.flush();
    byte[] bytes = stream.toByteArray();
    byte[] forged = Arrays.copyOf(bytes, bytes.length - 5);
    // its body was one byte long: 41 a0; now 5a 03c00000
    byte[] head = {0x5A, 0x03, (byte) 0xC0, 0, 0};
    System.arraycopy(head, 0, forged, forged.length - 2, 2);
    byte[] lying = Arrays.copyOf(forged, forged.length + 3);
    System.arraycopy(head, 0, lying, forged.length - 2, 5);
    int[] largest = new int[1];
    InputStream watched =
        new ByteArrayInputStream(lying) {
          @Override
          public synchronized int read(byte[] target, int offset, int length) {
            largest[0] = Math.max(largest[0], target.length);
            return super.read(target, offset, length);
          }
        };

    // when
    Throwable thrown = catchThrowable(() -> SampleSnapshot.read(watched));

    // then
    assertThat(thrown).isInstanceOf(SnapshotException.Truncated.class);
    assertThat(largest[0]).as("the largest array it was read into").isLessThanOrEqualTo(2 << 20);
  }

  static List<Arguments> lengths() {
    return List.of(
        Arguments.of("5b7fffffffffffffff", Long.MAX_VALUE, SnapshotException.Incompatible.class),
        Arguments.of("5bffffffffffffffff", 5L, SnapshotException.Corrupt.class),
        Arguments.of("5a10000000", 0x10000000L, SnapshotException.Incompatible.class),
        Arguments.of("5a10000000", 5L, SnapshotException.Corrupt.class),
        Arguments.of("5f", 0L, SnapshotException.Corrupt.class),
        Arguments.of("5a00000001", 1L, SnapshotException.Corrupt.class));
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void aBodyOfAnyStatedLengthIsBoundedBeforeItIsRead(
      String head, long stated, Class<? extends SnapshotException> expected) throws IOException {
    // given
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    ChunkOutput out = new ChunkOutput(stream);
    out.prologue(Forgery.prologue());
    out.chunk("machine", true, Forgery.fields("version", 1L), Forgery.machine());
    out.chunk("x", false, Forgery.fields("length", stated), new byte[1], 1, 0);
    out.flush();
    byte[] bytes = stream.toByteArray();
    stream.reset();
    stream.write(bytes, 0, bytes.length - 7);
    stream.write(HexFormat.of().parseHex(head));
    stream.write(new byte[64]);

    // when, then
    assertThat(reading(stream.toByteArray())).isInstanceOf(expected);
  }

  @Test
  void moreChunksThanTheLimitAreRefused() throws IOException {
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.NONE);
    SnapshotLimits three = new SnapshotLimits(MemorySize.mebibytes(1), 3, MemorySize.mebibytes(1));

    assertThatThrownBy(
            () -> new SnapshotReader(new ByteArrayInputStream(bytes), three).read(m -> Map.of()))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("3");
  }

  @Test
  void theStateThatStaysInTheHeapIsBoundedAsAWhole() throws IOException {
    SnapshotLimits limits =
        new SnapshotLimits(MemorySize.mebibytes(1), 1000, MemorySize.kibibytes(8));
    byte[] bytes =
        Forgery.of(
            20,
            out -> {
              for (int i = 0; i < 20; i++) {
                out.chunk(
                    "state",
                    true,
                    Forgery.fields("type", "t", "path", "p" + i, "version", 1L),
                    Forgery.fields("x", new byte[1000]));
              }
            });

    assertThatThrownBy(
            () -> new SnapshotReader(new ByteArrayInputStream(bytes), limits).read(m -> Map.of()))
        .isInstanceOf(SnapshotException.Incompatible.class);
  }

  @Test
  void moreValuesThanTheLimitAreRefused() throws IOException {
    byte[] many = new byte[SnapshotReader.MAX_VALUES + 100];
    byte[] head = HexFormat.of().parseHex("a16178" + "9a00100050");
    System.arraycopy(head, 0, many, 0, head.length);
    byte[] body = Arrays.copyOf(many, head.length + 0x100050);

    assertThatThrownBy(() -> CborFields.decode(body, 0, budget()))
        .isInstanceOf(SnapshotException.Incompatible.class);
  }

  private static CborFields.Budget budget() {
    return new CborFields.Budget(SnapshotReader.MAX_VALUES);
  }

  static List<Arguments> notFields() {
    return List.of(
        Arguments.of("no map", "01"),
        Arguments.of("nothing", ""),
        Arguments.of("bytes after the map", "a000"),
        Arguments.of("a map that ends early", "a26161"),
        Arguments.of("a name twice", "a2616101616102"),
        Arguments.of("a floating-point number", "a16161f93c00"),
        Arguments.of("null", "a16161f6"),
        Arguments.of("undefined", "a16161f7"),
        Arguments.of("an integer beyond 64 bits", "a161611bffffffffffffffff"),
        Arguments.of("a big negative integer", "a161613bffffffffffffffff"),
        Arguments.of("a bignum", "a16161c249010000000000000000"),
        Arguments.of("a tagged value", "a16161c101"),
        Arguments.of("a key that is a number", "a10101"),
        Arguments.of("a key that is a byte string", "a1416101"),
        Arguments.of("a byte string of 2 GiB", "a161615a7fffffff00"),
        Arguments.of("a byte string of 2^63", "a161615b800000000000000000"),
        Arguments.of("a text of 2 GiB", "a161617a7fffffff00"),
        Arguments.of("an array of 2 GiB", "a161619a7fffffff00"),
        Arguments.of("a map of 2^63", "a16161bb800000000000000000"),
        Arguments.of("a reserved head", "a161611c"),
        Arguments.of("a lone break", "a16161ff"),
        Arguments.of("broken UTF-8", "a1616162c328"),
        Arguments.of("nested too deeply", "a16161" + "81".repeat(40) + "00"),
        Arguments.of("nested very deeply", "a16161" + "81".repeat(100_000) + "00"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("notFields")
  void fieldsOfAnyOtherFormAreCorrupt(String what, String hex) {
    assertThatThrownBy(() -> CborFields.decode(HexFormat.of().parseHex(hex), 1000, budget()))
        .isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void aSecondChunkOfTheSameThingIsRefused() throws IOException {
    FieldMap header = Forgery.fields("type", "t", "path", "p", "version", 1L);
    byte[] states =
        Forgery.of(
            2,
            out -> {
              out.chunk("state", true, header, NOTHING);
              out.chunk("state", true, header, NOTHING);
            });
    byte[] machines =
        Forgery.of(
            1, out -> out.chunk("machine", true, Forgery.fields("version", 1L), Forgery.machine()));

    assertThat(reading(states)).isInstanceOf(SnapshotException.Corrupt.class);
    assertThat(reading(machines)).isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void aMappingMustLieWithinADeviceMemoryThatIsThere() throws IOException {
    MappingState good = SampleSnapshot.mapping();
    for (MappingState bad :
        List.of(
            new MappingState("ghost", "rom", "m", 0, 4096, 0, good.access()),
            new MappingState("bootrom", "rom", "m", 4096, 8192, 0, good.access()),
            new MappingState("bootrom", "rom", "m", 1L << 62, 4096, 0, good.access()))) {
      byte[] bytes =
          Forgery.of(
              1,
              out ->
                  out.chunk(
                      "mapping",
                      true,
                      Forgery.fields("version", 1L),
                      MachineSchemas.MAPPING.toFields(bad)));

      assertThat(reading(bytes)).isInstanceOf(SnapshotException.Corrupt.class);
    }
  }

  private static Throwable readingBlock(FieldMap header, byte[] body) throws IOException {
    return reading(
        Forgery.of(
            1, out -> out.chunk("memory", true, header, body, body.length, Forgery.crc(body))));
  }

  static List<Arguments> badBlocks() {
    return List.of(
        Arguments.of("ghost", 0L, "none", List.of(0L, 16L), 0),
        Arguments.of("ram", -1L, "none", List.of(0L, 16L), 0),
        Arguments.of("ram", 4096L, "none", List.of(0L, 15L), 0),
        Arguments.of("ram", 1L << 21, "none", List.of(0L, 16L), 0),
        Arguments.of("ram", 0L, "none", List.of(0L, 17L), 0),
        Arguments.of("ram", 0L, "none", List.of(0L, 15L), 0),
        Arguments.of("ram", 0L, "none", List.of(0L), 0),
        Arguments.of("ram", 0L, "none", List.of(3L, 16L), 0),
        Arguments.of("ram", 0L, "none", List.of(0L, 1L << 32, 0L, 16L), 0),
        Arguments.of("ram", 0L, "none", List.of(0L, 0L, 0L, 16L), 0),
        Arguments.of("ram", 0L, "none", List.of(2L, 1L, 0L, 15L), 4095),
        Arguments.of("ram", 0L, "deflate", List.of(2L, 1L, 0L, 15L), 4096),
        Arguments.of("ram", 0L, "deflate", List.of(2L, 1L, 0L, 15L), 100),
        Arguments.of("ram", 0L, "deflate", List.of(2L, 1L, 0L, 15L), 0));
  }

  @ParameterizedTest
  @MethodSource("badBlocks")
  void aMemoryChunkThatDoesNotFitItsRegionIsCorrupt(
      String region, long offset, String compression, List<Long> pages, int length)
      throws IOException {
    FieldMap header =
        Forgery.fields(
            "region", region, "offset", offset, "compression", compression, "pages", pages);

    assertThat(readingBlock(header, new byte[length]))
        .isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void blocksOfARegionComeInAscendingOrder() throws IOException {
    FieldMap header =
        Forgery.fields(
            "region", "ram", "offset", 0L, "compression", "none", "pages", List.of(0L, 16L));
    byte[] bytes =
        Forgery.of(
            2,
            out -> {
              out.chunk("memory", true, header, new byte[0], 0, 0);
              out.chunk("memory", true, header, new byte[0], 0, 0);
            });

    assertThat(reading(bytes)).isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void anUnknownCompressionIsNamed() throws IOException {
    FieldMap header =
        Forgery.fields(
            "region", "ram", "offset", 0L, "compression", "brotli", "pages", List.of(0L, 16L));

    assertThat(readingBlock(header, new byte[0]))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("brotli");
  }

  @Test
  void aBlockThatUnpacksToMoreOrLessThanItsPagesIsCorrupt() throws IOException {
    for (int plain : new int[] {4095, 4097, 1 << 20}) {
      Deflater deflater = new Deflater(9, true);
      deflater.setInput(new byte[plain]);
      deflater.finish();
      byte[] buffer = new byte[4096];
      byte[] packed = Arrays.copyOf(buffer, deflater.deflate(buffer));
      System.arraycopy(buffer, 0, packed, 0, packed.length);
      deflater.end();
      FieldMap header =
          Forgery.fields(
              "region",
              "ram",
              "offset",
              0L,
              "compression",
              "deflate",
              "pages",
              List.of(2L, 1L, 0L, 15L));

      assertThat(readingBlock(header, packed)).isInstanceOf(SnapshotException.Corrupt.class);
    }
  }

  static List<Arguments> badLz4() {
    return List.of(
        Arguments.of("nothing", ""),
        Arguments.of("literals beyond the end", "f0ff"),
        Arguments.of("a copy from before the beginning", "10" + "aa" + "0200" + "00"),
        Arguments.of("a copy from nowhere", "10" + "aa" + "0000" + "00"),
        Arguments.of("a length that never ends", "f0" + "ff".repeat(200)),
        Arguments.of("a copy of more than a page", "1f" + "aa" + "0100" + "ff".repeat(20) + "00"),
        Arguments.of("less than a page", "10aa"),
        Arguments.of("a copy that has no offset", "1faa01"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badLz4")
  void anLz4BlockOfAnyOtherFormIsCorrupt(String what, String hex) throws IOException {
    FieldMap header =
        Forgery.fields(
            "region", "ram", "offset", 0L, "compression", "lz4", "pages", List.of(2L, 1L, 0L, 15L));

    assertThat(readingBlock(header, HexFormat.of().parseHex(hex)))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("decompressed");
  }

  @Test
  void anyBytesAsAnLz4BlockAreTakenOrRefusedAndNothingElse() {
    java.util.Random random = new java.util.Random(11);
    byte[] plain = new byte[SnapshotFormat.BLOCK_BYTES];
    int refused = 0;
    try (BlockCodec codec = Compression.LZ4.codec()) {
      for (int round = 0; round < 100_000; round++) {
        byte[] packed = new byte[random.nextInt(64)];
        random.nextBytes(packed);
        try {
          codec.unpack(packed, plain, 1 + random.nextInt(1000));
        } catch (java.util.zip.DataFormatException e) {
          refused++;
        }
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void aFooterThatCountsOtherwiseIsCorrupt() throws IOException {
    byte[] bytes = Forgery.of(7, out -> {});

    assertThat(reading(bytes))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("footer");
  }

  @Test
  void whatTheSinkThrowsComesOut() throws IOException {
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.NONE);

    assertThatThrownBy(() ->
            new SnapshotReader(new ByteArrayInputStream(bytes), SnapshotLimits.standard())
                .read(machine -> {
                  throw new SnapshotException.MissingDevice("com1", "uart16550");
                }))
        .isInstanceOf(SnapshotException.MissingDevice.class);
  }
}
