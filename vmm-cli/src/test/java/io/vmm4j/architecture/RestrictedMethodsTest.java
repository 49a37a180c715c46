package io.vmm4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The software path runs under {@code --illegal-native-access=deny}: nobody but the KVM backend
 * calls a restricted method or declares a native one. The JDK's own jnativescan says who does.
 *
 * <p>Netty has one such class, its loader of native transports. The control socket looks for one
 * only where native access is granted, and TransportTest in vmm-control shows that it gets on
 * without. lz4-java has three, for an implementation in native code beside those in Java:
 * Lz4LibraryTest in vmm-snapshot shows that they are not even loaded.
 */
class RestrictedMethodsTest {
  private static final Pattern TYPE = Pattern.compile("^ {2}(\\S+):$", Pattern.MULTILINE);

  @Test
  void onlyKvmMachineCodeAndLibrariesThatDoWithoutCallRestrictedMethods() {
    // given all that ./vmm has on its module path
    List<String> runtime =
        classPath()
            .filter(entry ->
                entry.matches(".*/(vmm-|jackson-|lz4-|netty-|slf4j-|logback-|picocli-|xz-).*"))
            .filter(entry -> !entry.contains("test-classes"))
            .toList();
    assertThat(runtime).hasSizeGreaterThan(13);

    // then only these are named
    assertThat(typesCallingRestrictedMethods(runtime))
        .filteredOn(type -> !type.startsWith("io.vmm4j.kvm."))
        .filteredOn(type -> !type.startsWith("io.vmm4j.software.machinecode."))
        .containsExactlyInAnyOrder(
            "io.netty.util.internal.NativeLibraryUtil",
            "net.jpountz.lz4.LZ4JNI",
            "net.jpountz.util.Native",
            "net.jpountz.xxhash.XXHashJNI");
  }

  @Test
  void aCallerWouldBeFound() {
    // given the classes of these tests, one of which is a caller
    List<String> tests = classPath().filter(entry -> entry.endsWith("test-classes")).toList();

    assertThat(typesCallingRestrictedMethods(tests)).containsExactly(Caller.class.getName());
  }

  private static Stream<String> classPath() {
    return ClassPath.entries().map(Path::toString);
  }

  private static List<String> typesCallingRestrictedMethods(List<String> classPath) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        ToolProvider.findFirst("jnativescan")
            .orElseThrow()
            .run(
                new PrintWriter(out),
                new PrintWriter(err),
                "--class-path",
                String.join(File.pathSeparator, classPath));
    assertThat(exitCode).as(err.toString()).isZero();
    return TYPE.matcher(out.toString()).results().map(match -> match.group(1)).toList();
  }

  /** Never run; it is there to be found. */
  private static final class Caller {
    @SuppressWarnings({"restricted", "unused"})
    static MemorySegment call() {
      return MemorySegment.NULL.reinterpret(1);
    }
  }
}
