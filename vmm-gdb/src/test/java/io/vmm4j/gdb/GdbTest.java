package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Vm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's gdb drives the server. */
@Timeout(600)
class GdbTest {
  @TempDir private Path directory;

  @Test
  void aSmallGuestFromItsFirstInstruction() throws IOException, InterruptedException {
    try (Vm vm = Vm.create(Guest.spec(directory));
        GdbServer server = GdbServer.open(vm, GdbServer.loopback(0));
        Gdb gdb =
            Gdb.start(
                List.of(
                    Gdb.remote(server),
                    "printf \"at %#lx\\n\", $pc",
                    "x/4xb 0x10000",
                    // the code is at CS's base, which gdb doesn't add
                    "watch *(short*)0x500",
                    "continue",
                    "printf \"counted at %#lx\\n\", $pc",
                    "delete",
                    "set var $rcx = 1000",
                    "stepi",
                    "stepi",
                    "stepi",
                    "printf \"added %d at %#lx\\n\", $rcx, $pc",
                    "info registers eflags cr0 mxcsr fctrl",
                    "print $xmm0",
                    "info threads",
                    "monitor physical 0x10000 4",
                    "set {char}0x510 = 5",
                    "continue"))) {
      System.out.println("BACKEND: software");
      String said = gdb.end();
      assertThat(said)
          .contains("at 0\n")
          .contains("0x10000:\t0x31\t0xc0\t0x8e\t0xd8")
          .contains("Old value = 0")
          .contains("New value = 1")
          .contains("counted at 0xd")
          .contains("added 1001 at 0x18")
          .contains("cr0 ")
          .contains("v4_float")
          .contains("vCPU 0 [running]")
          .contains("0000000000010000: 31 c0 8e d8")
          .contains("exited with code 05");
    }
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
