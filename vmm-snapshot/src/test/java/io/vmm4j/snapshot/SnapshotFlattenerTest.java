package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One whole snapshot of a chain, and files found by the id in them. */
class SnapshotFlattenerTest {
  private static final String RAM = MachineDescription.RAM;

  @TempDir private Path directory;

  private static Chain threeSnapshots() throws IOException {
    Chain chain = new Chain(SnapshotCompression.SMALL, 5 << 20);
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    chain.snapshot();
    chain.addRegion("device:d/m", 8192);
    chain.touch("device:d/m", 1).fill((byte) 1);
    chain.touch(RAM, 700).fill((byte) 7);
    chain.snapshot();
    chain.touch(RAM, 1).fill((byte) 0);
    chain.snapshot();
    return chain;
  }

  private static byte[] flatten(byte[] newest, SnapshotResolver parents) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.NONE)) {
      SnapshotFlattener.flatten(
          new ByteArrayInputStream(newest), parents, SnapshotLimits.standard(), writer);
    }
    return out.toByteArray();
  }

  @Test
  void aChainBecomesOneSnapshotOfTheSameIdMemoryAndDigest() throws IOException {
    // given
    Chain chain = threeSnapshots();
    Chain.Link newest = chain.links.getLast();

    // when
    byte[] flat = flatten(newest.bytes(), chain.resolver());

    // then
    SampleSnapshot.Read read = SampleSnapshot.read(flat);
    Prologue before = chain.read(newest.bytes()).plan().prologue();
    assertThat(read.plan().prologue()).isEqualTo(before.withoutParent());
    assertThat(read.plan().prologue().parent()).isEqualTo(Optional.empty());
    assertThat(read.plan().states()).hasSize(1);
    assertThat(read.plan().digest().memorySha256()).isEqualTo(newest.digest().sha256());
    chain.memory.forEach((region, expected) ->
        assertThat(read.memory().get(region).mismatch(expected)).as(region).isEqualTo(-1));
    assertThat(chain.streams.open).isZero();
  }

  @Test
  void aDeltaToAFlattenedSnapshotGoesOnWorking() throws IOException {
    // given
    Chain chain = threeSnapshots();
    Chain.Link second = chain.links.get(1);
    byte[] flat = flatten(second.bytes(), chain.resolver());

    // when
    SampleSnapshot.Read read =
        Chain.read(
            chain.links.getLast().bytes(),
            (id, digest) -> {
              assertThat(id).isEqualTo(second.id());
              assertThat(digest).isEqualTo(second.digest().sha256());
              return chain.streams.of(flat);
            });

    // then
    assertThat(read.memory().get(RAM).mismatch(chain.memory.get(RAM))).isEqualTo(-1);
  }

  @Test
  void nothingIsWrittenOfAChainThatIsNotWhole() throws IOException {
    // given
    Chain chain = threeSnapshots();
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    // when, then
    try (SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.NONE)) {
      assertThatThrownBy(() ->
              SnapshotFlattener.flatten(
                  new ByteArrayInputStream(chain.links.getLast().bytes()),
                  SnapshotResolver.none(),
                  SnapshotLimits.standard(),
                  writer))
          .isInstanceOf(SnapshotException.MissingParent.class);
    }
    assertThat(out.size()).isZero();
  }

  @Test
  void parentsAreFoundAmongFilesOfAnyName() throws IOException {
    // given: one by its name, one in a directory with other things
    Chain chain = threeSnapshots();
    Path first = Files.write(directory.resolve("a"), chain.links.getFirst().bytes());
    Path others = Files.createDirectory(directory.resolve("others"));
    Files.write(others.resolve("b"), chain.links.get(1).bytes());
    Files.writeString(others.resolve("notes"), "not a snapshot");
    Files.createDirectory(others.resolve("more"));

    // when
    FileResolver resolver = FileResolver.of(List.of(first, others));
    SampleSnapshot.Read read = Chain.read(chain.links.getLast().bytes(), resolver);

    // then
    MemorySegment ram = read.memory().get(RAM);
    assertThat(ram.mismatch(chain.memory.get(RAM))).isEqualTo(-1);
    assertThatThrownBy(() -> resolver.open(chain.links.getLast().id(), ""))
        .isInstanceOf(SnapshotException.MissingParent.class);
    assertThatThrownBy(() ->
            FileResolver.of(List.of(others.resolve("notes"))).open(chain.links.getLast().id(), ""))
        .isInstanceOf(SnapshotException.class);
  }
}
