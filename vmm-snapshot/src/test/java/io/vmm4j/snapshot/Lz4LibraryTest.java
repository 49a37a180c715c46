package io.vmm4j.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.SnapshotCompression;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Of lz4-java nothing is used that needs native code or {@code sun.misc.Unsafe}. */
class Lz4LibraryTest {

  /** What runs in a JVM of its own. */
  static final class Use {
    private Use() {}

    public static void main(String[] arguments) throws IOException {
      byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.FAST);
      MemoryMakeUp ram = SampleSnapshot.read(bytes).plan().memory().getFirst();
      System.out.println("compressed blocks: " + ram.compressedBlocks());
    }
  }

  @Test
  void noOtherClassesOfItAreLoadedAndTheJvmHasNothingToSay() throws Exception {
    // when
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--illegal-native-access=deny",
                "--sun-misc-unsafe-memory-access=deny",
                "-Xlog:class+load=info",
                "-cp",
                System.getProperty("java.class.path"),
                Use.class.getName())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);

    // then
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said)
        .contains("compressed blocks: 1")
        .contains("net.jpountz.lz4.LZ4JavaSafeCompressor")
        .doesNotContain("WARNING")
        .doesNotContainPattern("net\\.jpountz\\.\\S*(JNI|Unsafe|Native)");
  }
}
