package io.vmm4j.cli;

import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes one file of a delta and its parents. */
@picocli.CommandLine.Command(
    name = "flatten",
    header = "Make one whole snapshot of a delta and its parents.",
    description = {
      "%nThe new file needs no parent. It has the delta's id and the same memory digest, so that deltas"
          + " to it go on working, and what this version does not know in the delta is kept.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm snapshot flatten today.vmm -o whole.vmm",
      "  ./vmm snapshot flatten today.vmm --parent monday.vmm --parent full.vmm -o whole.vmm",
      "",
      "Exit codes: 0 written; 12 one is not whole, lacks a parent or has a wrong one; 10 a file can't"
          + " be read or written."
    })
final class FlattenCommand extends Command {
  @Parameters(paramLabel = "FILE", description = "The delta, or the newest of several.")
  Path file = Path.of("");

  @Mixin ParentOptions parents = new ParentOptions();
  @Mixin OutputOptions output = new OutputOptions();

  @Override
  public Integer call() throws Exception {
    output.pack.check();
    output.write(file, parents.beside(file), messages());
    return ExitCode.OK;
  }
}
