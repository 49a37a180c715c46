package io.vmm4j.engine.machine;

import io.vmm4j.api.Console;
import io.vmm4j.api.Vm;
import java.time.Duration;

/** The shell of a Linux guest on its first serial port, whose echo and prompt are off. */
final class SerialShell {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private SerialShell() {}

  /** Has it do a command; gives what it printed. */
  static String answer(Vm vm, String command) {
    Console console = vm.console("com1");
    console.sendLine(command + "; echo answ''ered");
    return console.expect("answered", PATIENCE).before().replace("\r", "").strip();
  }
}
