package io.vmm4j.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What drivers have tried on virtio devices: the corpus of {@link VirtioFuzz}, and seeds. */
class VirtioFuzzTest {
  private static final int SEEDS = 60;
  private static final int STEPS = 60;

  static Stream<String> devices() {
    return VirtioFuzz.DEVICES.stream();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void driversOfManyKindsHarmNobody(String device) {
    int number = VirtioFuzz.DEVICES.indexOf(device);
    for (int seed = 0; seed < SEEDS; seed++) {
      byte[] input = random(number, seed);
      try {
        VirtioFuzz.fuzzerTestOneInput(input);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("%s, seed %d".formatted(device, seed), e);
      }
    }
  }

  @Test
  void theCorpusHarmsNobody() throws IOException, URISyntaxException {
    Path corpus =
        Path.of(Objects.requireNonNull(VirtioFuzzTest.class.getResource("VirtioFuzz")).toURI());
    List<Path> files;
    try (Stream<Path> all = Files.list(corpus)) {
      files = all.sorted().toList();
    }
    assertThat(files).hasSizeGreaterThanOrEqualTo(2 * VirtioFuzz.DEVICES.size());
    for (Path file : files) {
      try {
        VirtioFuzz.fuzzerTestOneInput(Files.readAllBytes(file));
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(file.getFileName().toString(), e);
      }
    }
  }

  /** Sets the device up, and then does what makes sense more often than not. */
  static byte[] random(int device, long seed) {
    Random random = new Random(seed * VirtioFuzz.DEVICES.size() + device);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(device);
    out.write(VirtioFuzz.Step.SET_UP.ordinal());
    out.write(random.nextInt(2));
    out.write(random.nextInt(128));
    int[] made = new int[6];
    for (int i = 0; i < STEPS; i++) {
      if (random.nextInt(3) != 0) {
        submit(out, random, made);
        continue;
      }
      VirtioFuzz.Step step =
          VirtioFuzz.Step.values()[random.nextInt(VirtioFuzz.Step.values().length)];
      out.write(step.ordinal());
      byte[] rest = new byte[8];
      random.nextBytes(rest);
      out.writeBytes(rest);
    }
    return out.toByteArray();
  }

  private static void submit(ByteArrayOutputStream out, Random random, int[] made) {
    int queue = random.nextInt(made.length);
    int count = random.nextInt(4);
    out.write(VirtioFuzz.Step.SUBMIT.ordinal());
    out.write(queue);
    out.write(count);
    out.write(random.nextInt(20) == 0 ? random.nextInt() : made[queue]);
    made[queue]++;
    boolean written = random.nextBoolean();
    for (int i = 0; i <= count; i++) {
      written |= random.nextInt(3) == 0;
      out.write(random.nextInt(16) << 4 | (written ? 4 : 0));
      out.write(random.nextInt(256));
    }
  }

  /** Writes a corpus into a directory. */
  public static void main(String[] args) throws IOException {
    for (int device = 0; device < VirtioFuzz.DEVICES.size(); device++) {
      for (int seed = 1000; seed < 1003; seed++) {
        Files.write(
            Path.of(args[0], VirtioFuzz.DEVICES.get(device) + "-" + seed), random(device, seed));
      }
    }
  }
}
