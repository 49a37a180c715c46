package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Console;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/** A function of a running Linux, in which gdb has the machine stand. */
final class KernelFunction {
  static final Duration PATIENCE = Duration.ofMinutes(10);
  static final String PROMPT = "vmm4j:/root# ";

  /** A line of /proc/kallsyms, as the console shows it. */
  private static final Pattern MKDIR =
      Pattern.compile("([0-9a-f]{16}) [Tt] __x64_sys_mkdir\\r?\\n");

  private KernelFunction() {}

  /**
   * Has a program make a directory, and gdb read what the kernel is asked for.
   *
   * @param vm at its shell's prompt
   */
  static void isBrokenInto(Vm vm) throws IOException, InterruptedException {
    Console console = vm.console("com1");
    console.sendLine("grep -w __x64_sys_mkdir /proc/kallsyms");
    String address = console.expect(MKDIR, PATIENCE).groups().getFirst();
    console.expect(PROMPT, PATIENCE);
    try (GdbServer server = GdbServer.open(vm, GdbServer.loopback(0));
        Gdb gdb =
            Gdb.start(
                List.of(
                    Gdb.remote(server),
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
      // busybox asks for all, and changes it after
      assertThat(said).contains("path /tmp/seen-by-gdb\n").contains("mode 777\n");
      assertThat(said).contains("rip ");
    }
    console.expect(Pattern.compile("drwxr-x--x.*/tmp/seen-by-gdb"), PATIENCE);
    assertThat(vm.state()).isEqualTo(new VmState.Running());
    assertThat(vm.debugger().breakpoints()).isEmpty();
  }
}
