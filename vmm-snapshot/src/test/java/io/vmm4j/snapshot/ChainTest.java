package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotCompression;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.util.BitSet;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Deltas hold what changed, and a chain of them gives the memory back. */
class ChainTest {
  private static final String RAM = MachineDescription.RAM;

  /** Some pages are written to: with zeros, a pattern, noise, one byte, or what was there. */
  private static void write(Chain chain, Random random) {
    for (String region : chain.memory.keySet()) {
      int pages = (int) (chain.memory.get(region).byteSize() / 4096);
      for (int writes = random.nextInt(40); writes > 0; writes--) {
        MemorySegment page = chain.touch(region, random.nextInt(pages));
        switch (random.nextInt(5)) {
          case 0 -> page.fill((byte) 0);
          case 1 -> page.fill((byte) random.nextInt());
          case 2 -> {
            byte[] noise = new byte[4096];
            random.nextBytes(noise);
            MemorySegment.copy(noise, 0, page, ValueLayout.JAVA_BYTE, 0, noise.length);
          }
          case 3 -> page.set(ValueLayout.JAVA_BYTE, random.nextInt(4096), (byte) 1);
          default -> {
            // What was there.
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void theMemoryOfAChainOfAnyLengthIsWhatItWas(long seed) throws IOException {
    // given: random writes, a random number of snapshots, a new region now and then
    Random random = new Random(seed);
    SnapshotCompression[] compressions = SnapshotCompression.values();
    // The largest goes through several threads.
    long blocks = seed == 12 ? 9 : random.nextInt(3);
    Chain chain =
        new Chain(
            compressions[random.nextInt(compressions.length)],
            (blocks << 21) + 4096 * (1 + random.nextInt(511)));
    int length = random.nextInt(9);
    for (int i = 0; i <= length; i++) {
      if (random.nextInt(4) == 0) {
        chain.addRegion("device:d" + i + "/m", 4096 * (1 + random.nextInt(700)));
      }
      write(chain, random);
      chain.snapshot();
    }

    // when
    SampleSnapshot.Read read = chain.read(chain.links.getLast().bytes());

    // then
    assertThat(read.memory().keySet()).isEqualTo(chain.memory.keySet());
    chain.memory.forEach((region, expected) ->
        assertThat(read.memory().get(region).mismatch(expected)).as(region).isEqualTo(-1));
    assertThat(read.plan().memoryDigest()).contains(chain.links.getLast().digest());
    assertThat(
            MemoryDigest.compute(
                chain.machine().regions(), name -> MemorySource.of(chain.memory.get(name))))
        .as("the digest of the memory itself")
        .isEqualTo(chain.links.getLast().digest());
    assertThat(chain.streams.opened).as("each parent twice").isEqualTo(2 * length);
    assertThat(chain.streams.mostOpen).isEqualTo(Math.min(1, length));
    assertThat(chain.streams.open).isZero();
  }

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void theDigestIsThatOfTheContentsWhateverTheyAreStoredAs(SnapshotCompression compression)
      throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.NONE, 5 << 20);
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    Chain other = new Chain(compression, 5 << 20);
    other.snapshot();
    other.memory.get(RAM).copyFrom(chain.memory.get(RAM));
    for (int page = 0; page < 1280; page++) {
      other.touch(RAM, page);
    }

    // when
    MemoryDigest whole = chain.snapshot().digest();
    MemoryDigest delta = other.snapshot().digest();

    // then
    assertThat(delta).isEqualTo(whole).hasSameHashCodeAs(whole).hasToString(whole.sha256());
  }

  @Test
  void aDeltaHoldsOnlyBlocksThatChanged() throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.NONE, 8 << 20);
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    chain.snapshot();
    chain.touch(RAM, 3).fill((byte) 0);
    chain.touch(RAM, 4).copyFrom(SampleSnapshot.ram(4096 * 3).asSlice(8192, 4096));
    chain.touch(RAM, 600);

    // when
    Chain.Link delta = chain.snapshot();

    // then: the page that was written to without a change is not there
    MemoryMakeUp ram = chain.read(delta.bytes()).plan().memory().getFirst();
    assertThat(ram.blocks()).isEqualTo(1);
    assertThat(ram.zeroBytes() + ram.fillBytes() + ram.dataBytes()).isEqualTo(2 * 4096);
    assertThat(ram.parentBytes()).isEqualTo((8 << 20) - 2 * 4096);
    assertThat(delta.bytes().length).isLessThan(8192);
  }

  @Test
  void aBlockThatBecameZerosIsWritten() throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.SMALL, 4 << 20);
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    chain.snapshot();
    for (int page = 0; page < 512; page++) {
      chain.touch(RAM, page).fill((byte) 0);
    }

    // when
    SampleSnapshot.Read read = chain.read(chain.snapshot().bytes());

    // then
    assertThat(read.memory().get(RAM).mismatch(chain.memory.get(RAM))).isEqualTo(-1);
    assertThat(read.plan().memory().getFirst().zeroBytes()).isEqualTo(2 << 20);
  }

  @Test
  void aLongChainIsReadWithoutRecursion() throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.NONE, 8192);
    for (int i = 0; i < 3000; i++) {
      chain.touch(RAM, 0).set(ValueLayout.JAVA_INT, 4L * (i % 1024), i);
      chain.snapshot();
    }

    // when
    SampleSnapshot.Read read = chain.read(chain.links.getLast().bytes());

    // then
    assertThat(read.memory().get(RAM).mismatch(chain.memory.get(RAM))).isEqualTo(-1);
    assertThat(chain.streams.mostOpen).isEqualTo(1);
    assertThat(chain.streams.open).isZero();
  }

  @Test
  void aDeltaAloneTellsAllButItsParentsMemory() throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.NONE, 4 << 20);
    SampleSnapshot.fill(chain.memory.get(RAM), 3);
    Chain.Link parent = chain.snapshot();
    chain.touch(RAM, 7).fill((byte) 9);
    Chain.Link delta = chain.snapshot();

    // when
    SnapshotInspection inspection =
        SnapshotInspection.of(
            new ByteArrayInputStream(delta.bytes()), io.vmm4j.api.SnapshotLimits.standard());

    // then
    assertThat(inspection.fault()).isEmpty();
    assertThat(inspection.prologue().flatMap(Prologue::parent))
        .contains(new Prologue.Parent(parent.id(), parent.digest().sha256()));
    assertThat(inspection.memory().getFirst().fillBytes()).isEqualTo(4096);
    assertThat(inspection.digest().orElseThrow().memorySha256()).isEqualTo(delta.digest().sha256());
  }

  @Test
  void aWriterRefusesWhatMakesNoDelta() throws IOException {
    // given
    Chain chain = new Chain(SnapshotCompression.NONE, 8192);
    MemoryDigest digest = chain.snapshot().digest();
    Prologue whole = Prologue.of(UUID.randomUUID(), Instant.EPOCH, "vmm4j", "test");
    Prologue delta = whole.withParent(UUID.randomUUID(), digest);

    try (SnapshotWriter writer =
        new SnapshotWriter(new ByteArrayOutputStream(), SnapshotCompression.NONE)) {
      // when, then
      assertThatThrownBy(() -> writer.prologue(delta)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> writer.prologue(whole, digest))
          .isInstanceOf(IllegalArgumentException.class);
      writer.prologue(delta, digest);
      assertThatThrownBy(() -> writer.machine(new Chain(SnapshotCompression.NONE, 4096).machine()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'ram'");
      writer.machine(chain.machine());
      assertThatThrownBy(writer::memoryDigest).isInstanceOf(IllegalStateException.class);
    }
    assertThat(delta.withoutParent()).isEqualTo(whole);
  }

  @Test
  void changedPagesAreThoseOfTheSet() {
    BitSet set = new BitSet();
    set.set(5);

    ChangedPages pages = ChangedPages.of(set);

    assertThat(pages.next(0)).isEqualTo(5);
    assertThat(pages.next(5)).isEqualTo(5);
    assertThat(pages.next(6)).isEqualTo(ChangedPages.NONE);
    assertThat(pages.next(1L << 40)).isEqualTo(ChangedPages.NONE);
    assertThat(ChangedPages.all().next(1L << 40)).isEqualTo(1L << 40);
  }

  @Test
  void theDigestTellsMemoriesApart() throws IOException {
    Chain chain = new Chain(SnapshotCompression.NONE, 4 << 20);
    MemoryDigest zeros = chain.snapshot().digest();
    chain.touch(RAM, 1).set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
    MemoryDigest one = chain.snapshot().digest();
    chain.touch(RAM, 1).fill((byte) 0);
    chain.touch(RAM, 2).set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
    MemoryDigest moved = chain.snapshot().digest();
    chain.touch(RAM, 2).fill((byte) 0);
    MemoryDigest again = chain.snapshot().digest();
    MemoryDigest larger = new Chain(SnapshotCompression.NONE, 6 << 20).snapshot().digest();

    assertThat(java.util.Set.of(zeros, one, moved, larger)).hasSize(4);
    assertThat(again).isEqualTo(zeros);
    assertThat(zeros.leaf(RAM, 0)).isEqualTo(Optional.empty());
    assertThat(one).isNotEqualTo("one");
  }
}
