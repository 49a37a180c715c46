package io.vmm4j.gdb.stub;

import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import io.vmm4j.api.debug.LinearAddressException;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.gdb.protocol.Command;
import io.vmm4j.gdb.protocol.FrameReader;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one debugger does to a machine, from its first question to its leave. Until it asks why the
 * machine stands, the machine goes on; when it leaves, in whatever way, its breakpoints are gone
 * and the machine goes on, unless {@code monitor stay} was said. For one thread, which may wait.
 */
public final class Session {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private static final int MOST_BREAKPOINTS = 1000;
  private static final int SIGINT = 2;
  private static final int SIGTRAP = 5;
  private static final int SIGABRT = 6;
  private static final int SIGTERM = 15;
  private static final int EFAULT = 14;
  private static final int EINVAL = 22;
  private static final int ENOSPC = 28;

  /** What a breakpoint packet says. */
  private record Requested(int type, long address, int length) {}

  private final Vm vm;
  private final VmDebugger debugger;
  private final Monitor monitor;
  private final int vcpus;
  private final Set<Requested> breakpoints = new HashSet<>();
  private final Queue<DebugStop> untold = new ArrayDeque<>();
  private boolean attached;
  private boolean running;
  private boolean tellsSoftware;
  private boolean tellsHardware;
  private int current;
  private int stepped;

  /** What the debugger takes the vCPUs for: the mode in which it asked, whatever comes later. */
  private Architecture architecture = Architecture.AMD64;

  /** Whether it has asked, and has not been told of another mode since. */
  private boolean told;

  /**
   * A session that has not begun.
   *
   * @param beginning what {@code monitor reset} goes back to
   */
  public Session(Vm vm, Optional<Snapshot> beginning) {
    this.vm = vm;
    this.debugger = vm.debugger();
    this.monitor = new Monitor(vm, beginning);
    this.vcpus = vm.spec().cpus();
  }

  // ---- what happens ----

  /** Does what a packet asks for; never throws. */
  public Answer packet(byte[] payload) {
    Command command = Command.parse(payload);
    try {
      return answer(command);
    } catch (LinearAddressException e) {
      return Answer.error(EFAULT);
    } catch (VmStoppedException e) {
      return ended();
    } catch (IllegalArgumentException | IllegalStateException | VmException e) {
      LOG.debug("a debugger's {} can't be done", command, e);
      return Answer.error(EINVAL);
    }
  }

  /** The debugger wants the machine to stand. */
  public Optional<byte[]> interrupt() {
    if (!running) {
      return Optional.empty();
    }
    try {
      vm.pause();
    } catch (VmStoppedException e) {
      return Optional.empty(); // its end is told
    }
    running = false;
    DebugStop came = untold.poll();
    String reply = came == null ? signal(SIGINT, "", current) : describe(came);
    return Optional.of(reply.getBytes(StandardCharsets.ISO_8859_1));
  }

  /**
   * The machine stands for a debugger, or has ended.
   *
   * @return what the debugger is told: packets, if any
   */
  public List<byte[]> stopped(DebugStop stop) {
    untold.add(stop);
    if (!running) {
      // Told when it is to go on. Others may have resumed the machine meanwhile: what is old is
      // lost.
      while (untold.size() > vcpus + 1) {
        untold.remove();
      }
      return List.of();
    }
    try {
      List<byte[]> packets = new ArrayList<>();
      byte[] reply = tellNext().payload();
      modeChange().ifPresent(packets::add);
      packets.add(reply);
      return packets;
    } catch (VmStoppedException e) {
      return List.of(); // its end is told
    }
  }

  /** A line for the user when the vCPU is in a mode that GDB has no description of. */
  private Optional<byte[]> modeChange() {
    if (!told || vm.state() instanceof VmState.Ended) {
      return Optional.empty();
    }
    Architecture now = Architecture.of(vm.cpuState(current));
    if (now == architecture) {
      return Optional.empty();
    }
    told = false; // once
    String line =
        "vCPU %d is in %s mode now and is shown as %s. To see it as it is: 'monitor stay', 'disconnect', and 'target remote' again.\n"
            .formatted(
                current, now == Architecture.AMD64 ? "64-bit" : "32-bit", architecture.gdbName());
    return Optional.of(
        ("O" + hex(line.getBytes(StandardCharsets.US_ASCII))).getBytes(StandardCharsets.US_ASCII));
  }

  /** The debugger is gone. */
  public void close() {
    if (!attached) {
      return;
    }
    attached = false;
    running = false;
    try {
      Set.copyOf(breakpoints).forEach(this::clear);
      if (vm.state() instanceof VmState.Paused && !monitor.stays()) {
        vm.resume();
      }
    } catch (VmStoppedException e) {
      LOG.debug("the machine has ended before its debugger left", e);
    }
  }

  // ---- packets ----

  private Answer answer(Command command) {
    return switch (command) {
      case Command.WhyStopped why -> attach();
      case Command.ReadRegisters read -> readRegisters();
      case Command.WriteRegisters write -> writeRegisters(write.values());
      case Command.ReadRegister read -> readRegister(read.number());
      case Command.WriteRegister write -> writeRegister(write.number(), write.value());
      case Command.ReadMemory read -> readMemory(read.address(), read.length());
      case Command.WriteMemory write -> {
        debugger.write(current, write.address(), write.bytes());
        yield Answer.ok();
      }
      case Command.Continue go -> resume(vm::resume);
      case Command.Step step -> resume(() -> debugger.step(stepped));
      case Command.Resume go -> resume(go.actions());
      case Command.ChangeBreakpoint change -> changeBreakpoint(change);
      case Command.SelectThread select -> {
        current = select.thread() > 0 ? vcpu(select.thread()) : current;
        yield Answer.ok();
      }
      case Command.SelectStepThread select -> {
        stepped = select.thread() > 0 ? vcpu(select.thread()) : stepped;
        yield Answer.ok();
      }
      case Command.IsAlive alive -> {
        vcpu(alive.thread());
        yield Answer.ok();
      }
      case Command.Supported supported -> {
        tellsSoftware = "+".equals(supported.features().get("swbreak"));
        tellsHardware = "+".equals(supported.features().get("hwbreak"));
        yield Answer.text(
            "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+"
                .formatted(FrameReader.MOST_BYTES));
      }
      case Command.ReadFeatures read -> features(read);
      case Command.FirstThreads first ->
          Answer.text(
              IntStream.rangeClosed(1, vcpus)
                  .mapToObj(Integer::toHexString)
                  .collect(Collectors.joining(",", "m", "")));
      case Command.MoreThreads more -> Answer.text("l");
      case Command.DescribeThread describe -> describeThread(vcpu(describe.thread()));
      case Command.CurrentThread thread -> Answer.text("QC%x".formatted(current + 1));
      case Command.IsAttached is -> Answer.text("1");
      case Command.NoAcknowledgements no -> Answer.ok();
      case Command.AboutContinue about -> Answer.text("vCont;c;C;s;S");
      case Command.Monitor line ->
          Answer.text(hex(monitor.run(line.line(), current).getBytes(StandardCharsets.UTF_8)));
      case Command.Detach detach -> {
        close();
        yield Answer.ok();
      }
      case Command.Kill kill -> {
        attached = false;
        vm.stop();
        yield kill.answered() ? Answer.ok() : new Answer.Goodbye();
      }
      case Command.Unknown unknown -> Answer.unknown();
      case Command.Malformed malformed -> Answer.error(EINVAL);
    };
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private int vcpu(int thread) {
    if (thread < 1 || thread > vcpus) {
      throw new IllegalArgumentException("no thread " + thread);
    }
    return thread - 1;
  }

  private Answer attach() {
    if (vm.state() instanceof VmState.Ended) {
      return ended();
    }
    attached = true;
    running = false;
    vm.pause();
    return Answer.text(signal(SIGTRAP, "", current));
  }

  /** Each vCPU does what the first action says that is for it; without one it stands. */
  private Answer resume(List<Command.Resume.Action> actions) {
    Set<Integer> running = new HashSet<>();
    Set<Integer> stepping = new HashSet<>();
    for (int vcpu = 0; vcpu < vcpus; vcpu++) {
      for (Command.Resume.Action action : actions) {
        if (isFor(action.thread(), vcpu)) {
          (action.step() ? stepping : running).add(vcpu);
          break;
        }
      }
    }
    if (stepping.isEmpty()) {
      return resume(running.size() == vcpus ? vm::resume : () -> debugger.resume(running));
    }
    // One can step at a time; if all are to, the others go on meanwhile.
    int one = stepping.contains(stepped) ? stepped : Collections.min(stepping);
    running.addAll(stepping);
    return resume(() -> debugger.step(one, running));
  }

  private boolean isFor(int thread, int vcpu) {
    return switch (thread) {
      case Command.ALL -> true;
      case Command.ANY -> vcpu == stepped;
      default -> vcpu(thread) == vcpu;
    };
  }

  private Answer resume(Runnable how) {
    if (vm.state() instanceof VmState.Ended) {
      return ended();
    }
    attached = true;
    if (!untold.isEmpty()) {
      return tellNext(); // another vCPU has come to a breakpoint at the same time
    }
    vm.pause();
    running = true;
    how.run();
    return new Answer.Later();
  }

  // ---- why it stands ----

  private Answer.Reply tellNext() {
    Answer.Reply reply = Answer.text(describe(untold.remove()));
    running = false;
    return reply;
  }

  private Answer ended() {
    running = false;
    return vm.state() instanceof VmState.Ended ended
        ? Answer.text(describe(new DebugStop.Ended(ended.exit())))
        : Answer.error(EINVAL);
  }

  private String describe(DebugStop stop) {
    if (!(stop instanceof DebugStop.Ended)) {
      vm.pause(); // until every vCPU stands
    }
    return switch (stop) {
      case DebugStop.BreakpointHit hit -> {
        long address = hit.breakpoint().linearAddress();
        boolean software = breakpoints.stream().anyMatch(b -> b.type == 0 && b.address == address);
        String kind = software ? tell(tellsSoftware, "swbreak") : tell(tellsHardware, "hwbreak");
        yield signal(SIGTRAP, kind, hit.vcpu());
      }
      case DebugStop.WatchpointHit hit -> {
        String name =
            switch (hit.breakpoint().kind()) {
              case READ -> "rwatch";
              case ACCESS -> "awatch";
              default -> "watch";
            };
        yield signal(SIGTRAP, "%s:%x;".formatted(name, hit.linearAddress()), hit.vcpu());
      }
      case DebugStop.Stepped done -> signal(SIGTRAP, "", done.vcpu());
      case DebugStop.Ended ended ->
          switch (ended.exit()) {
            case VmExit.DebugExit debug -> "W%02x".formatted(debug.value() & 0xFF);
            case VmExit.Crashed crashed -> "X%02x".formatted(SIGABRT);
            case VmExit.Dead dead -> "X%02x".formatted(SIGABRT);
            case VmExit.Panicked panicked -> "X%02x".formatted(SIGABRT);
            case VmExit.Stopped off -> "X%02x".formatted(SIGTERM);
            case VmExit.PoweredOff off -> "W00";
            case VmExit.Reset reset ->
                reset.cause() == VmExit.Reset.Cause.TRIPLE_FAULT
                    ? "X%02x".formatted(SIGABRT)
                    : "W00";
          };
    };
  }

  private static String tell(boolean understood, String kind) {
    return understood ? kind + ":;" : "";
  }

  private String signal(int number, String reason, int vcpu) {
    current = vcpu;
    stepped = vcpu;
    return "T%02x%sthread:%x;".formatted(number, reason, vcpu + 1);
  }

  // ---- registers and memory ----

  private Answer readRegisters() {
    RegisterFile file = new RegisterFile(vm.cpuState(current));
    StringBuilder all = new StringBuilder();
    architecture.registers().forEach(register -> all.append(hex(file.read(register))));
    return Answer.text(all.toString());
  }

  private Answer writeRegisters(byte[] values) {
    int length = architecture.registers().stream().mapToInt(Register::bytes).sum();
    if (values.length != length) {
      throw new IllegalArgumentException("%d bytes of registers".formatted(values.length));
    }
    debugger.update(
        current,
        state -> {
          RegisterFile file = new RegisterFile(state);
          int at = 0;
          for (Register register : architecture.registers()) {
            if (register.writable()) {
              file.write(register, Arrays.copyOfRange(values, at, at + register.bytes()));
            }
            at += register.bytes();
          }
          return file.state();
        });
    return Answer.ok();
  }

  private Answer readRegister(int number) {
    if (number >= architecture.registers().size()) {
      return Answer.error(EINVAL);
    }
    RegisterFile file = new RegisterFile(vm.cpuState(current));
    return Answer.text(hex(file.read(architecture.registers().get(number))));
  }

  private Answer writeRegister(int number, byte[] value) {
    if (number >= architecture.registers().size()) {
      return Answer.error(EINVAL);
    }
    Register register = architecture.registers().get(number);
    if (!register.writable() || value.length != register.bytes()) {
      return Answer.error(EINVAL);
    }
    debugger.update(
        current,
        state -> {
          RegisterFile file = new RegisterFile(state);
          file.write(register, value);
          return file.state();
        });
    return Answer.ok();
  }

  /** As much of it, from its beginning, as is mapped and fits in a packet. */
  private Answer readMemory(long address, int length) {
    int most = Math.min(length, FrameReader.MOST_BYTES / 2 - 2);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(most);
    while (bytes.size() < most) {
      long at = address + bytes.size();
      int part = (int) Math.min(most - bytes.size(), 0x1000 - (at & 0xFFF));
      try {
        bytes.writeBytes(debugger.read(current, at, part));
      } catch (LinearAddressException e) {
        if (bytes.size() == 0) {
          throw e;
        }
        break;
      }
    }
    return Answer.text(hex(bytes.toByteArray()));
  }

  // ---- breakpoints ----

  private Answer changeBreakpoint(Command.ChangeBreakpoint change) {
    // For instructions the packet has their kind in place of a length.
    int length = change.type() < 2 ? 1 : change.kind();
    Requested requested = new Requested(change.type(), change.address(), length);
    if (!change.set()) {
      clear(requested);
      return Answer.ok();
    }
    if (breakpoints.size() >= MOST_BREAKPOINTS) {
      return Answer.error(ENOSPC);
    }
    debugger.add(breakpoint(requested));
    breakpoints.add(requested);
    attached = true;
    return Answer.ok();
  }

  private void clear(Requested requested) {
    if (breakpoints.remove(requested)) {
      Breakpoint breakpoint = breakpoint(requested);
      // Z0 and Z1 at one address are one.
      if (breakpoints.stream().noneMatch(other -> breakpoint(other).equals(breakpoint))) {
        debugger.remove(breakpoint);
      }
    }
  }

  private static Breakpoint breakpoint(Requested requested) {
    Breakpoint.Kind kind =
        switch (requested.type) {
          case 0, 1 -> Breakpoint.Kind.EXECUTE;
          case 2 -> Breakpoint.Kind.WRITE;
          case 3 -> Breakpoint.Kind.READ;
          default -> Breakpoint.Kind.ACCESS;
        };
    return new Breakpoint(kind, requested.address, requested.length);
  }

  // ---- the rest ----

  private Answer features(Command.ReadFeatures read) {
    if (!read.annex().equals("target.xml")) {
      return Answer.text("E00");
    }
    if (read.offset() == 0) {
      architecture = Architecture.of(vm.cpuState(current));
      told = true;
    }
    byte[] xml = TargetDescription.xml(architecture);
    int from = Math.min(read.offset(), xml.length);
    // Escapes may double it.
    int length = Math.min(Math.min(read.length(), FrameReader.MOST_BYTES / 2), xml.length - from);
    String part = new String(xml, from, length, StandardCharsets.ISO_8859_1);
    return Answer.text((from + length < xml.length ? "m" : "l") + part);
  }

  private Answer describeThread(int vcpu) {
    ActivityState activity = vm.cpuState(vcpu).activity();
    String text =
        "vCPU %d [%s]"
            .formatted(
                vcpu,
                switch (activity) {
                  case RUNNING -> "running";
                  case HALTED -> "halted";
                  case WAIT_FOR_STARTUP -> "waits for its start-up message";
                  case SHUTDOWN -> "shut down";
                });
    return Answer.text(hex(text.getBytes(StandardCharsets.UTF_8)));
  }
}
