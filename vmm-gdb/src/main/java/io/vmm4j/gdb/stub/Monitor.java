package io.vmm4j.gdb.stub;

import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.memory.GuestMemoryException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** GDB's {@code monitor} command: what is of the machine and not of the program in it. */
final class Monitor {
  private static final int MOST_BYTES = 4096;
  private static final int BYTES_IN_A_LINE = 16;
  private static final Pattern PHYSICAL =
      Pattern.compile("(?:0x)?([0-9a-fA-F]{1,16})(?:\\s+([0-9]{1,4}))?");

  private static final String HELP =
      """
      help                   this
      regs                   the registers of the current vCPU, system registers too
      physical ADDR [BYTES]  memory at a guest physical address (hexadecimal), 64 or so many bytes
      translate ADDR         where a linear address (hexadecimal) leads
      snapshot FILE          save the machine, which stands meanwhile
      stay                   keep the machine paused when the debugger leaves next
      reset                  go back to where the machine was when the debugger's port was opened
      """;

  private final Vm vm;
  private final Optional<Snapshot> beginning;
  private boolean stays;

  Monitor(Vm vm, Optional<Snapshot> beginning) {
    this.vm = vm;
    this.beginning = beginning;
  }

  /** What a command has to say, in lines. */
  String run(String line, int vcpu) {
    String[] words = line.strip().split("\\s+", 2);
    String rest = words.length > 1 ? words[1] : "";
    return switch (words[0]) {
      case "", "help" -> HELP;
      case "regs" -> registers(vcpu);
      case "physical" -> physical(rest);
      case "translate" -> translate(rest, vcpu);
      case "snapshot" -> snapshot(rest);
      case "stay" -> {
        stays = true;
        yield "the machine stays paused when the debugger leaves\n";
      }
      case "reset" -> reset();
      default -> "no command '%s'; 'monitor help' lists them\n".formatted(words[0]);
    };
  }

  /** Whether the machine is to stay paused when the debugger leaves. */
  boolean stays() {
    return stays;
  }

  private String registers(int vcpu) {
    RegisterFile file = new RegisterFile(vm.cpuState(vcpu));
    StringBuilder text = new StringBuilder("vCPU %d\n".formatted(vcpu));
    for (Register register : Architecture.AMD64.registers()) {
      if (register.bits() <= 64) {
        text.append("%-9s 0x%x\n".formatted(register.name(), file.value(register)));
      }
    }
    return text.toString();
  }

  private String physical(String rest) {
    Matcher parts = PHYSICAL.matcher(rest);
    if (!parts.matches()) {
      return "physical ADDR [BYTES]\n";
    }
    long address = HexFormat.fromHexDigitsToLong(parts.group(1));
    String count = parts.group(2);
    int length = count == null ? 64 : Math.min(Integer.parseInt(count), MOST_BYTES);
    byte[] bytes;
    try {
      bytes = vm.memory().read(address, length);
    } catch (GuestMemoryException e) {
      return e.getMessage() + "\n";
    }
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < length; at += BYTES_IN_A_LINE) {
      int end = Math.min(at + BYTES_IN_A_LINE, length);
      String hex = HexFormat.ofDelimiter(" ").formatHex(bytes, at, end);
      text.append("%016x: %s\n".formatted(address + at, hex));
    }
    return text.toString();
  }

  private String translate(String rest, int vcpu) {
    Matcher parts = PHYSICAL.matcher(rest);
    if (!parts.matches()) {
      return "translate ADDR\n";
    }
    long address = HexFormat.fromHexDigitsToLong(parts.group(1));
    var physical = vm.debugger().guestPhysicalAddress(vcpu, address);
    return physical.isPresent()
        ? "0x%x\n".formatted(physical.getAsLong())
        : "0x%x is not mapped\n".formatted(address);
  }

  private String snapshot(String file) {
    if (file.isEmpty()) {
      return "snapshot FILE\n";
    }
    try (Snapshot taken = vm.snapshot()) {
      Path path = Path.of(file).toAbsolutePath();
      taken.writeTo(path);
      return "saved %s\n".formatted(path);
    } catch (IOException | InvalidPathException | VmException e) {
      return "not saved: %s\n".formatted(e);
    }
  }

  private String reset() {
    if (beginning.isEmpty()) {
      return "the machine ran already when the debugger's port was opened: nothing to go back to\n";
    }
    vm.restore(beginning.get());
    return "the machine is where it began; GDB's view of it is old until 'maintenance flush"
        + " register-cache'\n";
  }
}
