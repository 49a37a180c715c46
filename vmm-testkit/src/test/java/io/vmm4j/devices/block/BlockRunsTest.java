package io.vmm4j.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Lists of blocks, in memory and in a snapshot. */
class BlockRunsTest {
  @Test
  void numbersComeBackInTheirOrder() {
    Random random = new Random(1);
    for (int round = 0; round < 200; round++) {
      long[] blocks = new long[random.nextInt(300)];
      for (int i = 0; i < blocks.length; i++) {
        boolean next = i > 0 && random.nextInt(3) > 0;
        blocks[i] = next ? blocks[i - 1] + 1 : random.nextLong(1L << 1 + random.nextInt(50));
      }
      assertThat(BlockRuns.decode(BlockRuns.encode(blocks), blocks.length)).isEqualTo(blocks);
    }
  }

  @Test
  void aRunTakesAFewBytes() {
    long[] blocks = new long[1 << 20];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = 1_000_000 + i;
    }
    byte[] encoded = BlockRuns.encode(blocks);
    assertThat(encoded).hasSizeLessThan(10);
    assertThat(BlockRuns.decode(encoded, blocks.length)).isEqualTo(blocks);
    assertThatThrownBy(() -> BlockRuns.decode(encoded, blocks.length - 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("more than");
  }

  @Test
  void whatIsForgedIsRefused() {
    Random random = new Random(2);
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = new byte[random.nextInt(24)];
      random.nextBytes(bytes);
      try {
        assertThat(BlockRuns.decode(bytes, 1000)).hasSizeLessThanOrEqualTo(1000);
      } catch (IllegalArgumentException e) {
        refused++;
        assertThat(e).hasMessageStartingWith("overlay: ");
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void eachBlockHasThePlaceOfItsTurn() {
    Random random = new Random(3);
    BlockPlaces places = new BlockPlaces();
    Map<Long, Integer> expected = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      long block = random.nextLong(1 << 22);
      assertThat(places.of(block)).isEqualTo(expected.getOrDefault(block, BlockPlaces.NONE));
      if (places.of(block) == BlockPlaces.NONE) {
        expected.put(block, places.add(block));
      }
    }
    assertThat(places.count()).isEqualTo(expected.size());
    long[] blocks = places.blocks();
    expected.forEach((block, place) -> assertThat(blocks[place]).isEqualTo(block));
  }

  /** A guest chooses where it writes, and is not to fill the heap by that. */
  @Test
  void scatteredBlocksTakeNoMoreThanOthers() {
    BlockPlaces places = new BlockPlaces();
    int count = 400_000;
    long stride = (1L << 30) / count;
    for (int i = 0; i < count; i++) {
      assertThat(places.of(i * stride)).isEqualTo(BlockPlaces.NONE);
      assertThat(places.add(i * stride)).isEqualTo(i);
    }
    for (int i = 0; i < count; i++) {
      assertThat(places.of(i * stride)).isEqualTo(i);
      assertThat(places.of(i * stride + 1)).isEqualTo(BlockPlaces.NONE);
    }
  }
}
