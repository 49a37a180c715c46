package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.InvalidSpecException.Fault;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What can't be a machine is refused by the name of what is wrong, all of it at once. */
class SpecFaultsTest {
  @TempDir private Path directory;

  private static List<String> faultyPaths(VmSpec.Builder builder) {
    InvalidSpecException refused = catchThrowableOfType(InvalidSpecException.class, builder::build);
    return refused.faults().stream().map(Fault::path).toList();
  }

  @SuppressWarnings({"NullAway", "DataFlowIssue"}) // what a caller without a checker can do
  @Test
  void nullIsNamedByWhatItWasGivenFor() {
    assertThat(
            faultyPaths(
                VmSpec.builder(null)
                    .backend(null)
                    .memory(null)
                    .boot(null)
                    .board(null)
                    .clock(null)
                    .consoleLimit(null)
                    .startTime(null)
                    .device("com1", null)))
        .contains(
            "name",
            "backend",
            "memory",
            "boot",
            "board",
            "clock",
            "consoleLimit",
            "startTime",
            "devices/com1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "two\nlines", "bell\u0007"})
  void aNameIsOneLineThatCanBeSeen(String name) {
    assertThat(faultyPaths(VmSpec.builder(name))).containsExactly("name");
    assertThatThrownBy(() -> ResumeOptions.standard().named(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("name");
  }

  @Test
  void aNameIsNotLongerThanAMessageCanCarry() {
    assertThat(faultyPaths(VmSpec.builder("x".repeat(VmSpec.MAX_NAME_CHARACTERS + 1))))
        .containsExactly("name");
  }

  @Test
  void aNulInACommandLineIsAFault() throws IOException {
    Path kernel = Files.write(directory.resolve("kernel"), new byte[] {1});
    assertThat(faultyPaths(VmSpec.builder("m").boot(LinuxBoot.kernel(kernel).commandLine("a\0b"))))
        .containsExactly("boot/commandLine");
    assertThat(
            faultyPaths(
                VmSpec.builder("m")
                    .boot(BootSource.Multiboot.kernel(kernel).module(kernel, "x\0"))))
        .containsExactly("boot/initrd");
  }

  @Test
  void aMachineWithNothingToBootIsRefused() {
    VmSpec spec = VmSpec.builder("nothing").build();
    assertThatThrownBy(() -> Vm.create(spec))
        .isInstanceOf(InvalidSpecException.class)
        .hasMessageContaining("boot: there is nothing to boot");
  }
}
