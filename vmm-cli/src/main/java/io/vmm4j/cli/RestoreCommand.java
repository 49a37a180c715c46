package io.vmm4j.cli;

import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Goes on from a snapshot. */
@picocli.CommandLine.Command(
    name = "restore",
    header = "Go on from a snapshot, from the file alone.",
    description = {
      "%nThe machine, its devices and their state all come from the file; the backend may be another"
          + " than the one that was saved. Standard input and output are the guest's serial port, as"
          + " in ./vmm run. With - the snapshot is read from standard input, and what is typed at the"
          + " terminal (/dev/tty), if there is one, goes to the guest.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm restore ready.vmm",
      "  ssh host cat ready.vmm | ./vmm restore - --backend software",
      "",
      "Exit codes: 0 power-off, (v << 1) | 1 debug exit with v, 12 the file can't be restored, else"
          + " see vmm --help."
    })
final class RestoreCommand extends Command {
  static final String STANDARD_INPUT = "-";

  @Mixin MachineOptions machine = new MachineOptions();
  @Mixin SaveOptions save = new SaveOptions();

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
    if (piped) {
      // Not closed: standard input is the process's.
      InputStream in =
          new BufferedInputStream(
              new ProgressInputStream(streams().in(), "restoring", -1, messages()), 1 << 18);
      try (Snapshot snapshot = Snapshot.read(in)) {
        return snapshot.load(machine.backend);
      }
    }
    Path path = Path.of(file);
    InputStream bytes = Files.newInputStream(path);
    try (InputStream in =
            new BufferedInputStream(
                new ProgressInputStream(
                    bytes, "restoring " + path.getFileName(), Files.size(path), messages()),
                1 << 18);
        Snapshot snapshot = Snapshot.read(in)) {
      return snapshot.load(machine.backend);
    }
  }
}
