package io.vmm4j.guests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What guests/fetch does with a cache that has all packages already. */
@Timeout(600)
class FetchTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final List<String> NEEDED =
      List.of(
          "guests",
          "scripts/jdk.sh",
          "vmm-guests/src/main/java/io/vmm4j/guests/CpioWriter.java",
          "vmm-guests/src/main/java/io/vmm4j/guests/PackInitramfs.java");

  @TempDir private Path directory;
  private Path cache = Path.of("");

  /** What the script has said, and its exit code. */
  private record Ran(int exitCode, String said) {}

  @BeforeEach
  void fillTheCache() throws IOException {
    cache = directory.resolve("m-cache");
    put("kernel-cloud-amd64/vmlinuz", "a kernel");
    put("kernel-cloud-amd64/package", "linux-image-test");
    put("busybox/busybox", "no program");
    put("seabios/bios-256k.bin", "firmware");
  }

  private void put(String name, String contents) throws IOException {
    Path file = cache.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, contents);
  }

  private Path checkout(String name) throws IOException {
    Path root = directory.resolve(name);
    for (String needed : NEEDED) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(needed))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path copy = root.resolve(ROOT.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
          if (Files.isExecutable(file)) {
            assertThat(copy.toFile().setExecutable(true)).isTrue();
          }
        }
      }
    }
    return root;
  }

  private Ran fetch(Path root) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(root.resolve("guests/fetch").toString()).redirectErrorStream(true);
    builder.environment().put("VMM_GUEST_CACHE", cache.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ran(process.waitFor(), said);
  }

  @Test
  void aSharedCacheIsPackedOnceForAllCheckouts() throws Exception {
    // given checkouts whose paths come before and behind that of the cache
    Path first = checkout("a-checkout");
    Path second = checkout("z-checkout");

    // then
    assertThat(fetch(first).said()).contains("packing initrd.cpio");
    assertThat(fetch(second))
        .satisfies(ran -> assertThat(ran.said()).doesNotContain("packing"))
        .satisfies(ran -> assertThat(ran.exitCode()).isZero());
    Files.writeString(second.resolve("guests/initramfs/more"), "another file");
    assertThat(fetch(second).said()).contains("packing initrd.cpio");
  }

  @Test
  void aCacheThatCanNotBeWrittenWillDoIfAllIsThere() throws Exception {
    // given: nobody, not even root, can open a directory as the lock's file
    Path root = checkout("checkout");
    fetch(root);
    Files.delete(cache.resolve(".lock"));
    Files.createDirectory(cache.resolve(".lock"));

    // then
    assertThat(fetch(root))
        .satisfies(ran -> assertThat(ran.exitCode()).as(ran.said()).isZero())
        .satisfies(ran -> assertThat(ran.said().lines()).hasSize(1));

    // and if something is not there
    Files.delete(cache.resolve("initrd.cpio"));
    assertThat(fetch(root))
        .satisfies(ran -> assertThat(ran.exitCode()).isEqualTo(3))
        .satisfies(ran ->
            assertThat(ran.said().lines())
                .containsExactly(
                    "guests: initrd.cpio is missing, or was packed from other sources, and the cache "
                        + cache
                        + " can't be written"));
    Files.delete(cache.resolve("seabios/bios-256k.bin"));
    assertThat(fetch(root).said())
        .startsWith("guests: the Debian package seabios is not in the cache, and the cache ");
  }
}
