package io.vmm4j.control.command;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vmm4j.api.Disk;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmMetrics;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.api.network.UserNetwork;
import io.vmm4j.control.protocol.ErrorType;
import io.vmm4j.control.protocol.Request;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Does what requests ask of one machine. Safe for any thread: each connection has its own, and
 * waits there for as long as its command takes.
 */
public final class Commands {
  private final Vm vm;
  private final SnapshotCommands snapshots;

  /** One at a time: it takes long, and goes on when its client has gone. */
  private final Semaphore exports = new Semaphore(1);

  /** Commands for a machine. */
  public Commands(Vm vm) {
    this.vm = vm;
    this.snapshots = new SnapshotCommands(vm);
  }

  /** Whether a snapshot has ended the machine, as its client asked. */
  public boolean suspended() {
    return snapshots.suspended();
  }

  /**
   * Does it. What it throws, {@link FailureReply} turns into a reply.
   *
   * @param stream opened for a snapshot that goes to the client
   */
  public Outcome run(Request request, Supplier<OutputStream> stream) throws IOException {
    return switch (request) {
      case Request.Status status -> new Outcome.Reply(this::status);
      case Request.Pause pause -> {
        vm.pause();
        yield Outcome.done();
      }
      case Request.Resume resume -> {
        snapshots.whileNotSuspending(vm::resume);
        yield Outcome.done();
      }
      case Request.SnapshotToFile snapshot -> snapshots.toFile(snapshot);
      case Request.SnapshotToClient snapshot -> snapshots.toClient(snapshot.live(), stream);
      case Request.Restore restore -> snapshots.restore(restore);
      case Request.Console console -> attach(console.device());
      case Request.DumpRegisters dump -> registers();
      case Request.DumpMemory dump -> memory(dump);
      case Request.DiskExport export -> export(export);
      case Request.DiskResize resize -> resize(resize);
      case Request.Detach detach -> detach(detach.device());
      case Request.Forward forward -> forward(forward);
      case Request.PowerOff powerOff -> powerOff();
      case Request.Stop stop -> {
        vm.stop();
        yield Outcome.done();
      }
    };
  }

  private Outcome attach(String device) {
    try {
      return new Outcome.Attach(vm.console(device));
    } catch (IllegalArgumentException e) {
      throw new Refusal(ErrorType.UNSUPPORTED, String.valueOf(e.getMessage()), e);
    }
  }

  private Disk disk(String device) {
    Disk disk = vm.devices(Disk.class).get(device);
    if (disk == null) {
      throw new Refusal(
          ErrorType.UNSUPPORTED,
          "there is no disk at '%s'; the disks are %s"
              .formatted(device, vm.devices(Disk.class).keySet()));
    }
    return disk;
  }

  private Outcome resize(Request.DiskResize request) {
    Disk disk = disk(request.device());
    try {
      disk.resize(request.bytes());
    } catch (IOException | IllegalArgumentException e) {
      throw new Refusal(ErrorType.UNSUPPORTED, String.valueOf(e.getMessage()), e);
    }
    return new Outcome.Reply(json -> json.writeNumberField("diskBytes", disk.sizeBytes()));
  }

  private Outcome export(Request.DiskExport request) {
    Disk disk = disk(request.device());
    if (!exports.tryAcquire()) {
      throw new Refusal(ErrorType.BUSY, "another export is under way");
    }
    try {
      disk.exportTo(request.file(), request.qcow2() ? Disk.Format.QCOW2 : Disk.Format.RAW);
    } catch (IOException e) {
      throw FailureReply.cannot("write", request.file(), e);
    } finally {
      exports.release();
    }
    return new Outcome.Reply(json -> {
      json.writeStringField("file", request.file().toString());
      json.writeNumberField("diskBytes", disk.sizeBytes());
    });
  }

  private Outcome detach(String device) {
    try {
      vm.detach(device);
    } catch (IllegalArgumentException e) {
      throw new Refusal(ErrorType.UNSUPPORTED, String.valueOf(e.getMessage()), e);
    }
    return Outcome.done();
  }

  private Outcome forward(Request.Forward request) {
    Map<String, UserNetwork> networks = vm.devices(UserNetwork.class);
    boolean one = networks.size() == 1;
    String path = request.device().orElse(one ? networks.keySet().iterator().next() : "");
    UserNetwork network = networks.get(path);
    if (network == null) {
      throw new Refusal(
          ErrorType.UNSUPPORTED,
          networks.isEmpty()
              ? "the machine has no network in user mode"
              : "there is no network in user mode at '%s'; they are %s"
                  .formatted(path, networks.keySet()));
    }
    try {
      PortForward opened =
          network.forward(new PortForward(request.hostPort(), request.guestPort()));
      return new Outcome.Reply(json -> {
        json.writeStringField("device", path);
        json.writeNumberField("hostPort", opened.hostPort());
        json.writeNumberField("guestPort", opened.guestPort());
      });
    } catch (IOException e) {
      throw new Refusal(ErrorType.UNSUPPORTED, String.valueOf(e.getMessage()), e);
    }
  }

  private Outcome powerOff() {
    if (!vm.pressPowerButton()) {
      throw new Refusal(
          ErrorType.UNSUPPORTED, "the machine has no power button; 'stop' ends it at once");
    }
    return Outcome.done();
  }

  private Outcome registers() {
    int cpus = vm.spec().cpus();
    RegisterDump[] dumps = new RegisterDump[cpus];
    for (int i = 0; i < cpus; i++) {
      dumps[i] = new RegisterDump(vm.cpuState(i));
    }
    return new Outcome.Reply(json -> {
      json.writeArrayFieldStart("vcpus");
      for (RegisterDump dump : dumps) {
        dump.writeTo(json);
      }
      json.writeEndArray();
    });
  }

  private Outcome memory(Request.DumpMemory dump) {
    byte[] bytes;
    try {
      bytes = vm.memory().read(dump.guestPhysicalAddress(), dump.length());
    } catch (IllegalStateException e) {
      if (vm.state() instanceof VmState.Ended ended) {
        throw new VmStoppedException("read memory", ended.exit()); // closed in the middle of it
      }
      throw e;
    }
    return new Outcome.Reply(json -> {
      json.writeStringField("address", "0x" + Long.toHexString(dump.guestPhysicalAddress()));
      json.writeStringField("bytes", HexFormat.of().formatHex(bytes));
    });
  }

  private void status(JsonGenerator json) throws IOException {
    VmSpec spec = vm.spec();
    VmState state = vm.state();
    VmMetrics metrics = vm.metrics();
    json.writeStringField("name", spec.name());
    json.writeStringField("state", kind(state));
    if (state instanceof VmState.Ended ended) {
      json.writeObjectFieldStart("exit");
      exit(json, ended.exit());
      json.writeEndObject();
    }
    json.writeStringField("backend", vm.backend().name());
    json.writeNumberField("cpus", spec.cpus());
    json.writeNumberField("memoryBytes", spec.memory().bytes());
    json.writeStringField("clock", spec.clock().name().toLowerCase(Locale.ROOT));
    json.writeNumberField("instructions", metrics.instructions());
    json.writeNumberField("runningMillis", metrics.running().toMillis());
    json.writeNumberField("idleMillis", metrics.idle().toMillis());
    json.writeObjectFieldStart("counters");
    for (Map.Entry<String, Long> counter : metrics.counters().entrySet()) {
      json.writeNumberField(counter.getKey(), counter.getValue());
    }
    json.writeEndObject();
  }

  private static String kind(VmState state) {
    return switch (state) {
      case VmState.Running running -> "running";
      case VmState.Paused paused -> "paused";
      case VmState.Ended ended -> "ended";
    };
  }

  private static void exit(JsonGenerator json, VmExit exit) throws IOException {
    json.writeStringField(
        "kind",
        switch (exit) {
          case VmExit.PoweredOff off -> "powered-off";
          case VmExit.Reset reset -> "reset";
          case VmExit.DebugExit debug -> "debug-exit";
          case VmExit.Crashed crashed -> "crashed";
          case VmExit.Dead dead -> "dead";
          case VmExit.Panicked panicked -> "panicked";
          case VmExit.Stopped stopped -> "stopped";
        });
    if (exit instanceof VmExit.DebugExit debug) {
      json.writeNumberField("value", debug.value());
    }
    if (exit instanceof VmExit.Crashed crashed) {
      json.writeStringField("reason", crashed.reason());
    }
    if (exit instanceof VmExit.Reset reset) {
      json.writeStringField(
          "cause", reset.cause().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
  }
}
