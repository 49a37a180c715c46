package io.vmm4j.cli;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.snapshot.Prologue;
import io.vmm4j.snapshot.SnapshotDigest;
import io.vmm4j.snapshot.SnapshotInspection;
import io.vmm4j.snapshot.SnapshotInspector;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Checks all of a snapshot. */
@picocli.CommandLine.Command(
    name = "verify",
    header = "Check snapshots to the last byte.",
    description = {
      "%nEvery checksum, the digest of the file, the digest of the memory, and of a delta all of its"
          + " parents. Prints a line for each file, with the digest of its memory, by which a delta"
          + " names its parent. A file that fails does not keep the others from being checked. Runs"
          + " nothing and needs no device.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm snapshot verify ready.vmm",
      "  ./vmm snapshot verify backup/*.vmm",
      "  ./vmm snapshot verify monday.vmm --parent weekend/full.vmm",
      "",
      "Exit codes: 0 all are whole, 12 one is not or lacks a parent, else 10 one can't be read."
    })
final class VerifyCommand extends Command {
  @Parameters(arity = "1..*", paramLabel = "FILE", description = "A snapshot.")
  List<Path> files = new ArrayList<>();

  @Mixin ParentOptions parents = new ParentOptions();

  @Override
  public Integer call() throws Exception {
    parents.check();
    int code = ExitCode.OK;
    for (Path file : files) {
      String memory;
      try {
        memory = verify(file).memorySha256();
      } catch (SnapshotException e) {
        messages().say(file + ": " + e.getMessage());
        code = ExitCode.SNAPSHOT;
        continue;
      } catch (IOException e) {
        messages().say(Failures.line(e));
        code = Math.max(code, ExitCode.FILE);
        continue;
      }
      streams().print(file + ": whole, memory " + memory + "\n");
    }
    return code;
  }

  private SnapshotDigest verify(Path file) throws IOException {
    SnapshotLimits limits = SnapshotLimits.standard();
    try (InputStream in = SnapshotFile.open(file, "verifying " + file, messages())) {
      SnapshotInspection alone = SnapshotInspection.of(in, limits);
      throwFault(alone);
      Optional<Prologue.Parent> parent = alone.prologue().flatMap(Prologue::parent);
      if (parent.isEmpty()) {
        return alone.digest().orElseThrow();
      }
    }
    // Only with the memory of its parents can that of a delta be digested.
    try (SnapshotInspector chain = SnapshotInspector.open(file, limits, parents.beside(file))) {
      throwFault(chain.inspection());
      return chain.inspection().digest().orElseThrow();
    } finally {
      messages().endProgress();
    }
  }

  private static void throwFault(SnapshotInspection inspection) {
    inspection
        .fault()
        .ifPresent(fault -> {
          throw fault;
        });
  }
}
