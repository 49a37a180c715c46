package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Debian's gdb with a Multiboot kernel's own ELF, from its first instruction and across the switch
 * to 64-bit mode. The kernel is {@code long-mode-kernel.s}.
 */
@Timeout(1200)
class GdbKernelModesTest {
  @TempDir private Path directory;

  private String session(String kernel, List<String> commands)
      throws IOException, InterruptedException {
    Path file = directory.resolve(kernel);
    try (InputStream in = GdbKernelModesTest.class.getResourceAsStream(kernel)) {
      Files.write(file, in.readAllBytes());
    }
    VmSpec spec =
        VmSpec.builder("kernel")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(4))
            .clock(ClockMode.REAL)
            .boot(BootSource.Multiboot.kernel(file))
            .device("exit", DebugExitConfig.DEFAULT)
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.create(spec);
        GdbServer server = GdbServer.open(vm, GdbServer.loopback(0))) {
      String remote = Gdb.remote(server);
      List<String> all =
          commands.stream().map(command -> command.equals("connect") ? remote : command).toList();
      List<String> line = new java.util.ArrayList<>(List.of("file " + file));
      line.addAll(all);
      try (Gdb gdb = Gdb.start(line)) {
        return gdb.end();
      }
    }
  }

  @Test
  void aKernelOf32BitsIsFollowedIntoLongMode() throws IOException, InterruptedException {
    String said =
        session(
            "long-mode-kernel.elf32",
            List.of(
                "connect",
                "break _start",
                "break in_32_bits",
                "break in_64_bits",
                "continue",
                "x/i $pc",
                "continue",
                "stepi",
                "printf \"counted %#x at %#x\\n\", $ecx, $eip",
                "continue",
                "printf \"low half %#x\\n\", $ecx",
                "continue"));
    assertRegistersFit(said);
    assertThat(said)
        .contains("Breakpoint 1, 0x0010000c in _start ()")
        .contains("mov    $0x12345678,%ecx")
        .contains("Breakpoint 2, ")
        .contains("counted 0x12345679 at 0x100012")
        .contains("Breakpoint 3, ")
        .contains("is in 64-bit mode now and is shown as i386")
        .contains("low half 0x9abcdef0")
        .contains("exited with code 052");
  }

  @Test
  void afterTheSwitchAKernelOf32BitsIsSeenWith64() throws IOException, InterruptedException {
    String said =
        session(
            "long-mode-kernel.elf32",
            List.of(
                "connect",
                "break in_64_bits",
                "continue",
                "monitor stay",
                "disconnect",
                "connect",
                "stepi",
                "printf \"whole %#lx at %#lx\\n\", $rcx, $rip",
                "continue"));
    assertRegistersFit(said);
    assertThat(said)
        .contains("whole 0x123456789abcdef1 at 0x100075")
        .contains("exited with code 052");
  }

  @Test
  void aKernelOf64BitsIsSeenFromItsFirstInstruction() throws IOException, InterruptedException {
    String said =
        session(
            "long-mode-kernel.elf64",
            List.of(
                "connect",
                "break in_32_bits",
                "break in_64_bits",
                "continue",
                "printf \"first %#x\\n\", $ecx",
                "continue",
                "monitor stay",
                "disconnect",
                "connect",
                "printf \"whole %#lx\\n\", $rcx",
                "continue"));
    assertRegistersFit(said);
    assertThat(said)
        .contains("first 0x12345678")
        .contains("Breakpoint 2, ")
        .contains("whole 0x123456789abcdef0")
        .contains("exited with code 052");
  }

  private static void assertRegistersFit(String said) {
    assertThat(said)
        .doesNotContain(
            "rejected target-supplied description", "packet reply is too long", "not compatible");
  }
}
