package io.vmm4j.cli;

import io.vmm4j.api.SnapshotResolver;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Stores a snapshot in another way. */
@picocli.CommandLine.Command(
    name = "convert",
    header = "Store a whole snapshot in another compression or layout.",
    description = {
      "%nWhat it holds stays the same: its id, its states, its memory and the digest of that, and what"
          + " this version does not know. A delta is stored in one way only; flatten makes a whole"
          + " snapshot of it, in any.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm snapshot convert ready.vmm --layout mapped -o ready.mapped",
      "  ./vmm snapshot convert ready.mapped --compression fast -o ready.vmm",
      "",
      "Exit codes: 0 written, 12 not whole or a delta, 10 a file can't be read or written, 2 neither"
          + " --compression nor --layout is given."
    })
final class ConvertCommand extends Command {
  @Parameters(paramLabel = "FILE", description = "The snapshot.")
  Path file = Path.of("");

  @Mixin OutputOptions output = new OutputOptions();

  @Override
  public Integer call() throws Exception {
    if (!output.pack.given()) {
      throw new UsageException("convert to what? --compression HOW or --layout HOW is missing");
    }
    output.pack.check();
    output.write(file, SnapshotResolver.none(), messages());
    return ExitCode.OK;
  }
}
