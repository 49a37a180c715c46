package io.vmm4j.cli;

import java.util.Objects;
import picocli.CommandLine.ParameterException;

/** Works on snapshot files without running them. */
@picocli.CommandLine.Command(
    name = "snapshot",
    header = "Work on snapshot files without running them.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      VerifyCommand.class,
      FlattenCommand.class,
      UpgradeCommand.class,
      ConvertCommand.class
    },
    commandListHeading = "%nCommands (each has a --help of its own):%n",
    footerHeading = "%nSee also:%n",
    footer = {
      "  ./vmm inspect FILE shows what a snapshot holds, ./vmm diff A B what differs between two.",
      "  docs/versioning.md tells what becomes of old files, docs/snapshot-format.md what is in them."
    })
final class SnapshotCommand extends Command {

  /** Without a command there is nothing to do but to tell which there are. */
  @Override
  public Integer call() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(),
        "which command? " + String.join(", ", spec.subcommands().keySet()));
  }
}
