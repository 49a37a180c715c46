package io.vmm4j.cli;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.snapshot.SnapshotDifference;
import io.vmm4j.snapshot.SnapshotInspector;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says what differs between two snapshots. */
@picocli.CommandLine.Command(
    name = "diff",
    header = "Show which fields and pages differ between two snapshots.",
    description = {
      "%nCompares what the snapshots hold and not how they are stored: two files of one state are the"
          + " same, be they compressed, mapped or a delta with its parents. Shows the fields of the"
          + " machine, of the devices, the clock and the vCPUs that differ, and for each memory how many"
          + " pages of 4096 bytes, and where. Identity and time of writing count for nothing.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm diff before.vmm after.vmm",
      "  ./vmm diff before.vmm after.vmm --json",
      "",
      "Exit codes: 0 the same, 26 different, 12 one of them is not whole, 10 can't be read."
    })
final class DiffCommand extends Command {
  @Parameters(index = "0", paramLabel = "A", description = "A snapshot.")
  Path first = Path.of("");

  @Parameters(index = "1", paramLabel = "B", description = "Another.")
  Path second = Path.of("");

  @Option(names = "--json", description = "As JSON; with all ranges, bytes in hexadecimal.")
  boolean json;

  @Mixin ParentOptions parents = new ParentOptions();

  @Override
  public Integer call() throws Exception {
    try (SnapshotInspector a = read(first);
        SnapshotInspector b = read(second)) {
      messages().endProgress();
      SnapshotDifference difference = SnapshotDifference.between(a, b);
      String text = json ? DifferenceJson.of(difference) : DifferenceText.of(difference);
      streams().print(text);
      return difference.isEmpty() ? ExitCode.OK : ExitCode.DIFFERENT;
    }
  }

  private SnapshotInspector read(Path file) throws IOException {
    SnapshotInspector read;
    try (InputStream in = SnapshotFile.open(file, "reading " + file.getFileName(), messages())) {
      read = SnapshotInspector.read(in, SnapshotLimits.standard(), parents.beside(file));
    }
    if (read.whole()) {
      return read;
    }
    read.close();
    SnapshotException fault = read.fault().orElseThrow();
    messages().say(file + " is not whole");
    throw fault;
  }
}
