package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's gdb drives the server. */
@Timeout(1200)
class GdbTest {
  @TempDir private Path directory;

  @Test
  void aSmallGuestFromItsFirstInstruction() throws IOException, InterruptedException {
    System.out.println("BACKEND: software");
    String said =
        GuestSession.of(
            Vm.create(Guest.spec(directory, Backends.software())),
            List.of(
                // the code is at CS's base, which gdb doesn't add
                "watch *(short*)0x500",
                "continue",
                "printf \"counted at %#lx\\n\", $pc",
                "delete",
                "set var $ecx = 1000",
                "stepi",
                "stepi",
                "stepi",
                "printf \"added %d at %#lx\\n\", $ecx, $pc"));
    assertThat(said)
        .contains("Old value = 0")
        .contains("New value = 1")
        .contains("counted at 0xd")
        .contains("added 1001 at 0x18");
  }

  @Test
  void aFunctionOfTheKernelAndItsArguments() throws IOException, InterruptedException {
    try (Vm vm = Vm.start(Guest.linux())) {
      System.out.println("BACKEND: software");
      vm.console("com1").expect(KernelFunction.PROMPT, KernelFunction.PATIENCE);
      KernelFunction.isBrokenInto(vm);
    }
  }
}
