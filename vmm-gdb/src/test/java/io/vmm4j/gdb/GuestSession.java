package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Vm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What gdb does to the counting {@link Guest}, from its first instruction to its end. */
final class GuestSession {
  private GuestSession() {}

  /**
   * All that gdb has said.
   *
   * @param meanwhile its commands between the first look and the last
   */
  static String of(Vm vm, List<String> meanwhile) throws IOException, InterruptedException {
    try (vm;
        GdbServer server = GdbServer.open(vm, GdbServer.loopback(0))) {
      List<String> commands =
          new ArrayList<>(
              List.of(Gdb.remote(server), "printf \"at %#lx\\n\", $pc", "x/4xb 0x10000"));
      commands.addAll(meanwhile);
      commands.addAll(
          List.of(
              "info registers eflags cr0 mxcsr fctrl",
              "print $xmm0",
              "info threads",
              "monitor physical 0x10000 4",
              "set {char}0x510 = 5",
              "continue"));
      try (Gdb gdb = Gdb.start(commands)) {
        String said = gdb.end();
        assertThat(said)
            .contains("at 0\n")
            .contains("0x10000:\t0x31\t0xc0\t0x8e\t0xd8")
            .contains("cr0 ")
            .contains("v4_float")
            .contains("vCPU 0 [running]")
            .contains("0000000000010000: 31 c0 8e d8")
            .contains("exited with code 05");
        return said;
      }
    }
  }
}
