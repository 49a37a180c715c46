package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's gdb drives the server. */
@Timeout(600)
class GdbTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String PROMPT = "vmm4j:/root# ";

  /** A line of /proc/kallsyms, as the console shows it. */
  private static final Pattern MKDIR =
      Pattern.compile("([0-9a-f]{16}) [Tt] __x64_sys_mkdir\\r?\\n");

  @TempDir private Path directory;

  private static String remote(GdbServer server) {
    return "target remote 127.0.0.1:" + ((InetSocketAddress) server.address()).getPort();
  }

  @Test
  void aSmallGuestFromItsFirstInstruction() throws IOException, InterruptedException {
    try (Vm vm = Vm.create(Guest.spec(directory));
        GdbServer server = GdbServer.open(vm, GdbServer.loopback(0));
        Gdb gdb =
            Gdb.start(
                List.of(
                    remote(server),
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
    // given a running Debian Linux whose root may know where its functions are
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.initrd())
                    .commandLine("console=ttyS0 panic=-1 nokaslr"))
            .device("com1", UartConfig.DEFAULT)
            .build();
    try (Vm vm = Vm.start(spec);
        GdbServer server = GdbServer.open(vm, GdbServer.loopback(0))) {
      System.out.println("BACKEND: software");
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine("grep -w __x64_sys_mkdir /proc/kallsyms");
      String address = console.expect(MKDIR, PATIENCE).groups().getFirst();
      console.expect(PROMPT, PATIENCE);

      // when gdb has a breakpoint there, and a program makes a directory
      try (Gdb gdb =
          Gdb.start(
              List.of(
                  remote(server),
                  "break *0x" + address,
                  "continue",
                  // the argument is the registers of the program: RDI and RSI of its system call
                  "printf \"path %s\\n\", *(char**)($rdi + 112)",
                  "printf \"mode %o\\n\", *(int*)($rdi + 104)",
                  "stepi",
                  "stepi",
                  "info registers rip cr3 gs_base",
                  "delete",
                  "detach"))) {
        gdb.await(
            () -> !vm.debugger().breakpoints().isEmpty() && vm.state() instanceof VmState.Running);
        console.sendLine("mkdir -m 751 /tmp/seen-by-gdb; ls -ld /tmp/seen-by-gdb");
        String said = gdb.end();

        // then it reads the path and the mode (busybox asks for all, and changes it after), and the
        // system call succeeds
        assertThat(said).contains("path /tmp/seen-by-gdb\n").contains("mode 777\n");
        assertThat(said).contains("rip ");
      }
      console.expect(Pattern.compile("drwxr-x--x.*/tmp/seen-by-gdb"), PATIENCE);
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      assertThat(vm.debugger().breakpoints()).isEmpty();
    }
  }
}
