package io.vmm4j.cli;

import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Goes on from a snapshot. */
@picocli.CommandLine.Command(
    name = "restore",
    header = "Go on from a snapshot, from the file alone.",
    description = {
      "%nThe machine, its devices and their state all come from the file, or of a delta from that and its"
          + " parents; the backend may be another"
          + " than the one that was saved. Standard input and output are the guest's serial port, as"
          + " in ./vmm run. With - the snapshot is read from standard input, and what is typed at the"
          + " terminal (/dev/tty), if there is one, goes to the guest.",
      "%nA file in the mapped layout is not read but mapped, so that the guest goes on at once whatever"
          + " its size. It must not be written to while the machine lives; to replace it is harmless.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm restore ready.vmm",
      "  ./vmm restore today.vmm --parent backup/monday.vmm        # a delta",
      "  ./vmm restore ready.vmm --clone --name second             # one more of it",
      "  ssh host cat ready.vmm | ./vmm restore - --backend software",
      "",
      "Exit codes: 0 power-off, (v << 1) | 1 debug exit with v, 12 the file can't be restored, else"
          + " see vmm --help."
    })
final class RestoreCommand extends Command {
  static final String STANDARD_INPUT = "-";

  @Mixin MachineOptions machine = new MachineOptions();
  @Mixin SaveOptions save = new SaveOptions();
  @Mixin ParentOptions parents = new ParentOptions();

  @Option(
      names = "--clone",
      description =
          "It is one of several: devices are told so, a VM generation id changes, and what the"
              + " machine draws at random is new. Without, it is the saved machine itself, of which"
              + " there is to be only one.")
  boolean asClone;

  @Option(
      names = "--clock",
      paramLabel = "continue|catch-up",
      converter = Clock.class,
      description =
          "What becomes of the time since it was saved: it did not happen for the guest, or it has"
              + " passed, as if the guest had slept (default: continue). Virtual time only"
              + " continues.")
  ResumeOptions.GuestClock clock = ResumeOptions.GuestClock.CONTINUE;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "What the machine is called in messages (default: as it was).")
  @Nullable String name;

  @Option(
      names = "--rebind",
      paramLabel = "PATH=FILE",
      description =
          "The disk of a path, such as pci/00:03.0, has its contents in another file here; may be"
              + " given again.")
  Map<String, String> rebound = new LinkedHashMap<>();

  @Option(
      names = "--accept-changed-disks",
      description =
          "Take disks as they are, though their files are not as they were when the snapshot was"
              + " taken. The guest may have kept in its memory what they no longer hold.")
  boolean acceptChangedDisks;

  @Parameters(paramLabel = "FILE|-", description = "The snapshot, or - for standard input.")
  String file = "";

  @Override
  public Integer call() throws Exception {
    save.check();
    machine.check();
    boolean piped = file.equals(STANDARD_INPUT);
    try (Vm vm = load(piped)) {
      messages().endProgress();
      return new Session(vm, streams(), messages(), save, machine)
          .run((guest, onEscape) ->
              piped
                  ? SerialInput.controllingTerminal(guest, onEscape)
                  : SerialInput.standard(streams(), guest, onEscape));
    }
  }

  private Vm load(boolean piped) throws IOException {
    try (Snapshot snapshot = piped ? readStandardInput() : readFile(PathText.of("FILE", file))) {
      ResumeOptions how =
          new ResumeOptions(
              machine.backend(),
              asClone ? ResumeOptions.Identity.CLONE : ResumeOptions.Identity.RESUME,
              clock,
              Optional.ofNullable(name),
              rebound(snapshot.spec()),
              true,
              acceptChangedDisks);
      if (clock == ResumeOptions.GuestClock.CATCH_UP
          && snapshot.spec().clock() == ClockMode.VIRTUAL) {
        throw new UsageException("--clock catch-up: the machine's time is virtual");
      }
      return snapshot.resume(how);
    }
  }

  private Map<String, DeviceConfig> rebound(VmSpec spec) {
    Map<String, DeviceConfig> configs = new LinkedHashMap<>();
    rebound.forEach((path, disk) -> {
      if (!(spec.devices().get(path) instanceof VirtioBlockConfig config)) {
        throw new UsageException(
            "--rebind %s: the snapshot has no disk there; its devices are %s"
                .formatted(path, String.join(", ", spec.devices().keySet())));
      }
      configs.put(path, config.withFile(disk));
    });
    return configs;
  }

  private Snapshot readStandardInput() throws IOException {
    // Not closed: standard input is the process's.
    InputStream in =
        new BufferedInputStream(
            new ProgressInputStream(streams().in(), "restoring", -1, messages()), 1 << 18);
    return Snapshot.read(in, SnapshotLimits.standard(), parents.given());
  }

  private Snapshot readFile(Path path) throws IOException {
    messages()
        .progress("restoring %s (%s)".formatted(path.getFileName(), Sizes.text(Files.size(path))));
    return Snapshot.read(path, parents.beside(path));
  }

  /** Reads what becomes of the time between. */
  static final class Clock implements ITypeConverter<ResumeOptions.GuestClock> {
    @Override
    public ResumeOptions.GuestClock convert(String text) {
      return switch (text) {
        case "continue" -> ResumeOptions.GuestClock.CONTINUE;
        case "catch-up" -> ResumeOptions.GuestClock.CATCH_UP;
        default ->
            throw new TypeConversionException("'" + text + "' is not one of continue, catch-up");
      };
    }
  }
}
