package io.vmm4j.cli;

import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.snapshot.AtomicFileWriter;
import io.vmm4j.snapshot.SnapshotInspection;
import io.vmm4j.snapshot.SnapshotUpgrade;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings a snapshot to the newest versions. */
@picocli.CommandLine.Command(
    name = "upgrade",
    header = "Rewrite a snapshot with every state in its newest version.",
    description = {
      "%nThe id, the memory, a delta's parent and all that this version does not know stay as they are."
          + " Nothing needs this to restore an old file: it is for files that are kept for years."
          + " Devices whose module is not here keep their version, and are named.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm snapshot upgrade old.vmm -o new.vmm",
      "  ./vmm snapshot upgrade ready.vmm -o ready.vmm      in place: the old file or the new one",
      "",
      "Exit codes: 0 upgraded, or new already; 12 not whole, or of a version that no upgrade leads"
          + " from; 10 a file can't be read or written."
    })
final class UpgradeCommand extends Command {
  @Parameters(paramLabel = "FILE", description = "The snapshot.")
  Path file = Path.of("");

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "OUT",
      description = "Where the new file goes. One of that name is replaced, as a whole.")
  Path output = Path.of("");

  /** The schemas of the devices whose modules are here. */
  private static final class PresentSchemas implements SnapshotUpgrade.Schemas {
    private final DeviceTypes types = DeviceTypes.present();

    @Override
    public Optional<RecordSchema<?>> state(String deviceType) {
      return types.find(deviceType).map(DeviceFactory::stateSchema);
    }

    @Override
    public Optional<RecordSchema<?>> configuration(String deviceType) {
      return types.find(deviceType).map(DeviceFactory::configSchema);
    }
  }

  @Override
  public Integer call() throws Exception {
    SnapshotLimits limits = SnapshotLimits.standard();
    try (InputStream in = SnapshotFile.open(file, "verifying", messages())) {
      SnapshotInspection.of(in, limits)
          .fault()
          .ifPresent(fault -> {
            throw fault;
          });
    }
    AtomicFileWriter.write(output, target -> report(upgrade(target, limits)));
    messages().endProgress();
    return ExitCode.OK;
  }

  private SnapshotUpgrade.Result upgrade(OutputStream target, SnapshotLimits limits)
      throws IOException {
    try (InputStream in = SnapshotFile.open(file, "upgrading", messages())) {
      return SnapshotUpgrade.copy(in, target, limits, new PresentSchemas());
    }
  }

  private void report(SnapshotUpgrade.Result result) throws IOException {
    messages().endProgress();
    for (SnapshotUpgrade.Change change : result.changed()) {
      streams()
          .print("%s: version %d -> %d%n".formatted(change.what(), change.from(), change.to()));
    }
    if (result.changed().isEmpty()) {
      streams().print("every state that is known here was of its newest version\n");
    }
    for (String what : result.unknown()) {
      streams().print(what + ": left as it is, its module is not here\n");
    }
  }
}
