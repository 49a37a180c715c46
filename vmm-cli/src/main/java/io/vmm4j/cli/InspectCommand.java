package io.vmm4j.cli;

import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.snapshot.SnapshotInspection;
import java.io.InputStream;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says what a snapshot holds. */
@picocli.CommandLine.Command(
    name = "inspect",
    header = "Show what a snapshot holds, and whether it is whole.",
    description = {
      "%nFrom the file alone: no memory is allocated and no device is needed. Shows the machine, each"
          + " chunk with its version and size, the fields of every state, and what the memory consists"
          + " of. Of a damaged file it shows all that comes before the damage.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm inspect ready.vmm",
      "  ./vmm inspect ready.vmm --json",
      "",
      "Exit codes: 0 whole, 12 not whole, 10 can't be read."
    })
final class InspectCommand extends Command {
  @Parameters(paramLabel = "FILE", description = "The snapshot.")
  Path file = Path.of("");

  @Option(names = "--json", description = "As JSON; bytes in hexadecimal, none left out.")
  boolean json;

  @Override
  public Integer call() throws Exception {
    SnapshotInspection inspection;
    try (InputStream in = SnapshotFile.open(file, "reading", messages())) {
      inspection = SnapshotInspection.of(in, SnapshotLimits.standard());
    }
    messages().endProgress();
    String text = json ? InspectionJson.of(inspection) : InspectionText.of(inspection);
    streams().print(text);
    if (!inspection.whole()) {
      messages().say("not whole: " + inspection.fault().orElseThrow().getMessage());
      return ExitCode.SNAPSHOT;
    }
    return ExitCode.OK;
  }
}
