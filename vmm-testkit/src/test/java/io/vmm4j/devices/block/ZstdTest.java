package io.vmm4j.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import io.vmm4j.devices.block.zstd.Zstd;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.DataFormatException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Zstandard: frames of the reference implementation, and forged ones. */
@Timeout(120)
class ZstdTest {
  @TempDir private Path directory;

  /** Contents of some kind, the same for the same kind and length. */
  private static byte[] contents(int kind, int length) {
    Random random = new Random(kind);
    byte[] bytes = new byte[length];
    switch (kind) {
      case 0 -> {} // zeros
      case 1 -> random.nextBytes(bytes);
      case 2 -> { // words of a small vocabulary
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
          text.append("word").append((int) Math.abs(random.nextGaussian() * 40)).append(' ');
        }
        System.arraycopy(text.toString().getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, length);
      }
      case 3 -> { // skewed bytes without repeats
        for (int i = 0; i < length; i++) {
          bytes[i] = (byte) (random.nextGaussian() * 12);
        }
      }
      case 4 -> { // records with counters
        for (int i = 0; i < length; i++) {
          bytes[i] = (byte) (i % 24 < 20 ? i % 24 : i / 24 >> 8 * (i % 4));
        }
      }
      default -> { // far repeats among noise
        random.nextBytes(bytes);
        for (int at = 5000; at + 300 < length; at += 700) {
          System.arraycopy(bytes, random.nextInt(at - 300), bytes, at, random.nextInt(300));
        }
      }
    }
    return bytes;
  }

  private static byte[] unpack(byte[] packed, int length) throws DataFormatException {
    byte[] unpacked = new byte[length];
    Zstd.unpack(packed, unpacked);
    return unpacked;
  }

  /** Of {@code zstd -19} 1.5.4, in the order of the kinds. */
  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 4, 5})
  void framesOfTheReferenceAreUnpacked(int kind) throws Exception {
    try (InputStream in = ZstdTest.class.getResourceAsStream("kind" + kind + ".zst")) {
      assertThat(unpack(in.readAllBytes(), 20_000)).isEqualTo(contents(kind, 20_000));
    }
  }

  private byte[] zstd(byte[] contents, String level) throws IOException, InterruptedException {
    Path file = Files.write(directory.resolve("contents"), contents);
    Process process;
    try {
      process = new ProcessBuilder("zstd", "-q", "-c", "--ultra", level, file.toString()).start();
    } catch (IOException e) {
      abort("no zstd here");
      throw e;
    }
    byte[] packed = process.getInputStream().readAllBytes();
    assertThat(process.waitFor()).isZero();
    return packed;
  }

  @ParameterizedTest
  @ValueSource(strings = {"--fast=5", "-1", "-3", "-9", "-19", "-22"})
  void allLevelsAreUnpacked(String level) throws Exception {
    for (int kind = 0; kind < 6; kind++) {
      for (int length : new int[] {0, 1, 7, 300, 4096, 70_000, 1_500_000}) {
        byte[] contents = contents(kind, length);
        assertThat(unpack(zstd(contents, level), length))
            .as("kind %d, %d bytes", kind, length)
            .isEqualTo(contents);
      }
    }
  }

  @Test
  void framesFollowOneAnotherAndWhatFollowsIsLeftAlone() throws Exception {
    byte[] one;
    try (InputStream in = ZstdTest.class.getResourceAsStream("kind2.zst")) {
      one = in.readAllBytes();
    }
    byte[] two = Arrays.copyOf(one, 2 * one.length + 100);
    System.arraycopy(one, 0, two, one.length, one.length);
    byte[] contents = contents(2, 20_000);
    byte[] both = Arrays.copyOf(contents, 40_000);
    System.arraycopy(contents, 0, both, 20_000, 20_000);
    assertThat(unpack(two, 40_000)).isEqualTo(both);
    assertThatThrownBy(() -> unpack(two, 40_001)).isInstanceOf(DataFormatException.class);
    assertThatThrownBy(() -> unpack(one, 10)).isInstanceOf(DataFormatException.class);
  }

  /** Whatever stands in it, it ends in contents or an error, and soon. */
  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 4, 5})
  void aForgedFrameEndsInAnError(int kind) throws Exception {
    byte[] good;
    try (InputStream in = ZstdTest.class.getResourceAsStream("kind" + kind + ".zst")) {
      good = in.readAllBytes();
    }
    Random random = new Random(kind);
    int errors = 0;
    for (int round = 0; round < 4000; round++) {
      byte[] bad = good.clone();
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        int at = random.nextInt(random.nextBoolean() ? Math.min(bad.length, 200) : bad.length);
        bad[at] =
            (byte) (random.nextBoolean() ? random.nextInt() : bad[at] ^ 1 << random.nextInt(8));
      }
      if (random.nextInt(5) == 0) {
        bad = Arrays.copyOf(bad, random.nextInt(bad.length));
      }
      try {
        unpack(bad, 20_000);
      } catch (DataFormatException e) {
        errors++;
      }
    }
    assertThat(errors).isPositive();
  }
}
