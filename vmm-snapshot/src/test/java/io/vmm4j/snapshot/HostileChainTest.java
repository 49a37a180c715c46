package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.state.FieldMap;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A link that is missing, wrong, damaged or out of place is refused by name. */
class HostileChainTest {
  private static final String RAM = MachineDescription.RAM;

  private final Chain chain = new Chain(SnapshotCompression.SMALL, 6 * 4096);

  @BeforeEach
  void threeSnapshots() throws IOException {
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    chain.snapshot();
    chain.touch(RAM, 1).fill((byte) 0);
    chain.touch(RAM, 2).fill((byte) 7);
    chain.snapshot();
    SampleSnapshot.fill(chain.touch(RAM, 4), 5);
    chain.touch(RAM, 5).fill((byte) 7);
    chain.snapshot();
  }

  @AfterEach
  void everyStreamIsClosed() {
    assertThat(chain.streams.open).isZero();
    assertThat(chain.streams.mostOpen).isLessThanOrEqualTo(1);
  }

  private Throwable reading(byte[] newest, SnapshotResolver resolver) {
    return catchThrowable(() -> Chain.read(newest, resolver));
  }

  /** The chain with some bytes in the place of a link's. */
  private SnapshotResolver with(int link, byte[] bytes) {
    return (id, digest) ->
        id.equals(chain.links.get(link).id())
            ? chain.streams.of(bytes)
            : chain.resolver().open(id, digest);
  }

  private byte[] newest() {
    return chain.links.getLast().bytes();
  }

  @Test
  void aMissingParentIsNamed() {
    String first = chain.links.getFirst().id().toString();
    String second = chain.links.get(1).id().toString();
    SnapshotResolver noFirst =
        (id, digest) -> {
          if (id.toString().equals(first)) {
            throw new NoSuchFileException("first.vmm");
          }
          return chain.resolver().open(id, digest);
        };

    assertThat(reading(newest(), SnapshotResolver.none()))
        .isInstanceOf(SnapshotException.MissingParent.class)
        .hasMessageContaining(second);
    assertThat(reading(newest(), noFirst))
        .isInstanceOf(SnapshotException.MissingParent.class)
        .hasMessageContaining(first)
        .hasCauseInstanceOf(NoSuchFileException.class);
    assertThat(
            reading(
                newest(),
                (id, digest) -> {
                  throw new FileNotFoundException();
                }))
        .isInstanceOf(SnapshotException.MissingParent.class);
    assertThat(
            reading(
                newest(),
                (id, digest) -> {
                  throw new IOException("the store is down");
                }))
        .isInstanceOf(IOException.class)
        .hasMessage("the store is down");
  }

  @Test
  void aParentOfAnotherIdIsRefusedByBothNames() {
    // the first in the place of the second, so that the second would be passed over
    SnapshotResolver reordered = with(1, chain.links.getFirst().bytes());

    assertThat(reading(newest(), reordered))
        .isInstanceOf(SnapshotException.WrongParent.class)
        .hasMessageContaining(chain.links.get(2).id().toString())
        .hasMessageContaining(chain.links.get(1).id().toString())
        .hasMessageContaining(chain.links.get(1).digest().sha256())
        .hasMessageContaining(chain.links.getFirst().id().toString());
  }

  @Test
  void aParentOfOtherMemoryIsRefusedByBothDigests() throws IOException {
    // given: the id of the first over other memory
    Chain.Link first = chain.links.getFirst();
    Chain other = new Chain(SnapshotCompression.NONE, 6 * 4096);
    byte[] forged = withId(other.snapshot().bytes(), other.links.getFirst().id(), first.id());

    // when, then
    assertThat(reading(newest(), with(0, forged)))
        .isInstanceOf(SnapshotException.WrongParent.class)
        .hasMessageContaining(first.id().toString())
        .hasMessageContaining(first.digest().sha256())
        .hasMessageContaining(other.links.getFirst().digest().sha256());
  }

  /** A snapshot under another id, all its checksums right. */
  private static byte[] withId(byte[] snapshot, UUID from, UUID to) throws IOException {
    SampleSnapshot.Read read = SampleSnapshot.read(snapshot);
    Prologue p = read.plan().prologue();
    assertThat(p.id()).isEqualTo(from);
    return new SampleSnapshot.Read(
            new SnapshotPlan(
                Prologue.of(to, p.created(), p.producer(), p.producerVersion()),
                read.plan().machine(),
                read.plan().states(),
                read.plan().mappings(),
                Leftovers.none(),
                List.of(),
                read.plan().digest(),
                read.plan().memoryDigest()),
            read.memory())
        .write(SnapshotCompression.NONE);
  }

  @Test
  void aParentStoredInAnotherWayWillDo() throws IOException {
    // given
    Chain.Link first = chain.links.getFirst();
    byte[] other = withId(first.bytes(), first.id(), first.id());
    assertThat(other).isNotEqualTo(first.bytes());

    // when
    SampleSnapshot.Read read = Chain.read(newest(), with(0, other));

    // then
    assertThat(read.memory().get(RAM).mismatch(chain.memory.get(RAM))).isEqualTo(-1);
  }

  @Test
  void loopsAreRefused() throws IOException {
    // given: one that is its own parent, and two that are each other's
    UUID one = new UUID(1, 1);
    UUID two = new UUID(2, 2);
    Map<UUID, byte[]> selfish = Map.of(one, delta(one, one, Forgery.machine()));
    Map<UUID, byte[]> pair =
        Map.of(one, delta(one, two, Forgery.machine()), two, delta(two, one, Forgery.machine()));

    for (Map<UUID, byte[]> loop : List.of(selfish, pair)) {
      // when, then
      assertThat(reading(loop.get(one), (id, digest) -> chain.streams.of(loop.get(id))))
          .isInstanceOf(SnapshotException.ParentLoop.class)
          .hasMessageContaining(one.toString());
    }
  }

  private static byte[] delta(UUID id, UUID parent, FieldMap machine) throws IOException {
    return delta(id, parent, new byte[32], machine);
  }

  private static byte[] delta(UUID id, UUID parent, byte[] sha256, FieldMap machine)
      throws IOException {
    return Forgery.of(
        Forgery.prologue()
            .with("id", id.toString())
            .with("parentId", parent.toString())
            .with("parentSha256", sha256),
        machine,
        0,
        out -> {});
  }

  private static byte[] deltaOf(Chain.Link parent, MachineDescription machine) throws IOException {
    byte[] sha256 = HexFormat.of().parseHex(parent.digest().sha256());
    return delta(UUID.randomUUID(), parent.id(), sha256, MachineCodec.toFields(machine));
  }

  @Test
  void aParentThatNamesAnotherParentTheSecondTimeIsRefused() throws IOException {
    // given
    Chain.Link second = chain.links.get(1);
    byte[] other = delta(second.id(), new UUID(3, 3), MachineCodec.toFields(chain.machine()));
    int[] asked = new int[1];
    SnapshotResolver resolver =
        (id, digest) ->
            id.equals(second.id()) && asked[0]++ > 0
                ? chain.streams.of(other)
                : chain.resolver().open(id, digest);

    // when, then
    assertThat(reading(newest(), resolver)).isInstanceOf(SnapshotException.WrongParent.class);
  }

  @Test
  void memoryOfAnotherSizeOrWithoutARegionOfTheParentIsRefused() throws IOException {
    for (List<MachineDescription.Region> regions :
        List.of(
            List.of(new MachineDescription.Region(RAM, 5 * 4096)),
            List.of(new MachineDescription.Region(RAM, 7 * 4096)))) {
      // given
      byte[] delta = deltaOf(chain.links.getLast(), Chain.machine(regions));

      // when, then
      assertThat(reading(delta, chain.resolver()))
          .isInstanceOf(SnapshotException.Incompatible.class)
          .hasMessageContaining("'ram'");
    }
  }

  @Test
  void aRegionThatIsGoneInBetweenIsRefused() throws IOException {
    // given: the second lacks a region that the first and the third have
    Chain.Link first = first("device:d/m");
    Chain.Link second = chain.links.get(1);
    byte[] between =
        delta(
            second.id(),
            first.id(),
            HexFormat.of().parseHex(first.digest().sha256()),
            MachineCodec.toFields(Chain.machine(ram())));
    byte[] third =
        delta(
            new UUID(5, 5),
            second.id(),
            MachineCodec.toFields(Chain.machine(ramAnd("device:d/m"))));
    SnapshotResolver resolver =
        (id, digest) -> chain.streams.of(id.equals(second.id()) ? between : first.bytes());

    // when, then
    assertThat(reading(third, resolver))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("'device:d/m'");
  }

  private static List<MachineDescription.Region> ram() {
    return List.of(new MachineDescription.Region(RAM, 6 * 4096));
  }

  private static List<MachineDescription.Region> ramAnd(String name) {
    return List.of(ram().getFirst(), new MachineDescription.Region(name, 4096));
  }

  private static Chain.Link first(String region) throws IOException {
    Chain other = new Chain(SnapshotCompression.NONE, 6 * 4096);
    other.addRegion(region, 4096);
    return other.snapshot();
  }

  @Test
  void everyTruncationOfALinkIsNamedAsOne() {
    for (int link = 0; link < 3; link++) {
      Chain.Link whole = chain.links.get(link);
      for (int length = 0; length < whole.bytes().length; length++) {
        // when
        byte[] cut = Arrays.copyOf(whole.bytes(), length);
        Throwable thrown =
            link == 2 ? reading(cut, chain.resolver()) : reading(newest(), with(link, cut));

        // then
        assertThat(thrown).isInstanceOf(SnapshotException.Truncated.class);
        assertThat(((SnapshotException.Truncated) thrown).offset()).isEqualTo(length);
        if (link < 2) {
          assertThat(thrown).hasMessageContaining("in the parent " + whole.id());
        }
      }
    }
  }

  @Test
  void everyFlippedByteOfALinkIsFound() {
    for (int link = 0; link < 3; link++) {
      Chain.Link whole = chain.links.get(link);
      for (int at = 0; at < whole.bytes().length; at++) {
        for (int mask : new int[] {0x01, 0x80, 0xFF}) {
          // when
          byte[] damaged = whole.bytes().clone();
          damaged[at] ^= (byte) mask;
          Throwable thrown =
              link == 2
                  ? reading(damaged, chain.resolver())
                  : reading(newest(), with(link, damaged));

          // then
          assertThat(thrown)
              .as("link %d, byte %d, mask %02x", link, at, mask)
              .isInstanceOf(SnapshotException.class);
        }
      }
    }
  }

  @Test
  void aDeltaThatStatesAnotherDigestThanItsMemorysIsCorrupt() throws IOException {
    // given: no block, so that the memory is the parent's; stated is that of zeros
    Chain.Link parent = chain.links.getLast();
    byte[] delta = deltaOf(parent, chain.machine());

    // when, then
    assertThat(reading(delta, chain.resolver()))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("footer")
        .hasMessageContaining(parent.digest().sha256());
  }

  @Test
  void aStreamThatFailsIsClosedAndTheFailureComesOut() {
    SnapshotResolver failing =
        (id, digest) -> {
          InputStream counted = chain.streams.of(new byte[0]);
          return new InputStream() {
            @Override
            public int read() throws IOException {
              throw new IOException("the line is dead");
            }

            @Override
            public void close() throws IOException {
              counted.close();
            }
          };
        };

    assertThat(reading(newest(), failing))
        .isInstanceOf(IOException.class)
        .hasMessage("the line is dead");
  }

  @Test
  void aSinkThatLeavesOutARegionCannotTakeADelta() {
    assertThatThrownBy(() ->
            new SnapshotReader(
                    new java.io.ByteArrayInputStream(newest()),
                    io.vmm4j.api.SnapshotLimits.standard())
                .read(machine -> Map.<String, MemorySegment>of(), chain.resolver()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'ram'");
  }
}
