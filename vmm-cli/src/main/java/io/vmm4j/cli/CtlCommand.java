package io.vmm4j.cli;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.control.ControlClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Controls a machine that runs in another process. */
@picocli.CommandLine.Command(
    name = "ctl",
    header = "Control a machine that was started with --control SOCKET.",
    description = {
      "%nCommands:%n",
      "  status            what the machine is and does, as JSON",
      "  pause, resume     stop and go on between two instructions",
      "  snapshot FILE     save it; done when the file is durable. --suspend also ends it, --live lets",
      "                    it run meanwhile",
      "  snapshot -        save it to standard output, which may be a pipe",
      "  restore FILE      take it to the state of a snapshot of it",
      "  console           be its serial line, with what it said last; Ctrl-A x leaves it, and so does",
      "                    the end of standard input once the guest's buffer has all of it",
      "  dump              its registers as JSON; with --address and --length memory",
      "  disk export PATH FILE",
      "                    write the disk of a path, such as pci/00:03.0, to a file; --format qcow2 for",
      "                    an image of that format",
      "  disk resize PATH SIZE",
      "                    make a disk larger, such as 8G; the guest's driver is told",
      "  forward tcp:HOST:GUEST",
      "                    open a port of the host that leads to one of the guest; 0 for any free one.",
      "                    --device says which network, where there are several",
      "  detach PATH       take a device away, as a hand that pulls it out",
      "  poweroff          press its power button: the guest may switch itself off",
      "  stop              end it at once%n",
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm run --kernel vmlinuz --initrd initrd --append console=ttyS0 --control /tmp/web.sock",
      "  ./vmm ctl /tmp/web.sock snapshot web.vmm",
      "  ./vmm ctl /tmp/web.sock snapshot - | ssh host ./vmm restore -",
      "  ./vmm ctl /tmp/web.sock dump --address 0x7c00 --length 512",
      "  ./vmm ctl /tmp/web.sock disk export pci/00:03.0 web.raw",
      "  (echo uptime; sleep 2) | ./vmm ctl /tmp/web.sock console     # 2 s for the answer",
      "",
      "The protocol is in docs/control.md: one JSON line in, one out.",
      "Exit codes: 0 done, 10 nobody listens there, 24 refused, else see vmm --help."
    })
final class CtlCommand extends Command {
  private static final String STANDARD_OUTPUT = "-";
  private static final String DISK = "disk";
  private static final String RESIZE = "resize";
  private static final String FORWARD = "forward";
  private static final String DETACH = "detach";

  @Parameters(index = "0", paramLabel = "SOCKET", description = "The machine's control socket.")
  Path socket = Path.of("");

  @Parameters(index = "1", paramLabel = "COMMAND", description = "What to do; see above.")
  String command = "";

  @Parameters(
      index = "2..*",
      paramLabel = "ARGUMENT",
      description = "What the command takes; see above.")
  List<String> arguments = new ArrayList<>();

  @Option(
      names = "--format",
      paramLabel = "raw|qcow2",
      description = "With disk export: the format of the file (default: raw).")
  @Nullable String format;

  private @Nullable String file;

  @Option(names = "--suspend", description = "With snapshot: end the machine once it is saved.")
  boolean suspend;

  @Option(
      names = "--live",
      description =
          "With snapshot: copy the memory while the machine runs, which stands only briefly.")
  boolean live;

  @Option(
      names = "--device",
      paramLabel = "PATH",
      description = "With console: whose (default: com1). With forward: the network card.")
  @Nullable String device;

  @Option(
      names = "--address",
      paramLabel = "N",
      description = "With dump: the guest physical address, such as 0x7c00.")
  @Nullable String address;

  @Option(names = "--length", paramLabel = "N", description = "With dump: how many bytes.")
  @Nullable String length;

  @Override
  public Integer call() throws Exception {
    check();
    Map<String, Object> fields = fields();
    try (ControlClient client = ControlClient.connect(socket)) {
      if (command.equals("console")) {
        return console(client);
      }
      if (command.equals("snapshot") && STANDARD_OUTPUT.equals(file)) {
        client.snapshotTo(streams().out(), live ? Map.of("live", true) : Map.of());
        return ExitCode.OK;
      }
      String result =
          client.call(command.equals(DISK) ? DISK + "-" + arguments.getFirst() : command, fields);
      if (!result.equals("{ }")) {
        streams().print(result + "\n");
      }
      return ExitCode.OK;
    }
  }

  private void check() {
    boolean disk = command.equals(DISK);
    boolean resize = disk && arguments.size() == 3 && arguments.getFirst().equals(RESIZE);
    if (disk && !resize && (arguments.size() != 3 || !arguments.getFirst().equals("export"))) {
      throw new UsageException(
          "ctl disk: expected 'disk export PATH FILE' or 'disk resize PATH SIZE'");
    }
    boolean named = command.equals(FORWARD) || command.equals(DETACH);
    if (named && arguments.isEmpty()) {
      throw new UsageException(
          "ctl %s needs %s"
              .formatted(command, command.equals(DETACH) ? "a PATH" : "tcp:HOST:GUEST"));
    }
    if (!disk && arguments.size() > 1) {
      throw new UsageException("ctl %s takes no '%s'".formatted(command, arguments.get(1)));
    }
    file = arguments.isEmpty() || resize || named ? null : arguments.getLast();
    if (disk && !resize && STANDARD_OUTPUT.equals(file)) {
      throw new UsageException("ctl disk export needs a file: it can't go to standard output");
    }
    only(DISK, "--format", format != null);
    boolean takesFile = disk && !resize || command.equals("snapshot") || command.equals("restore");
    if (takesFile && file == null) {
      throw new UsageException("ctl " + command + " needs a FILE");
    }
    if (!takesFile && file != null) {
      throw new UsageException("ctl " + command + " takes no file: '" + file + "'");
    }
    only("snapshot", "--suspend", suspend);
    only("snapshot", "--live", live);
    if (!command.equals(FORWARD)) {
      only("console", "--device", device != null);
    }
    only("dump", "--address", address != null);
    only("dump", "--length", length != null);
    if (suspend && STANDARD_OUTPUT.equals(file)) {
      throw new UsageException("--suspend needs a file: only that can be known to be durable");
    }
    if (suspend && live) {
      throw new UsageException(
          "--live and --suspend exclude one another: with --suspend the machine stands for good");
    }
    if ((address == null) != (length == null)) {
      throw new UsageException("--address and --length need one another");
    }
  }

  private void only(String owner, String option, boolean given) {
    if (given && !command.equals(owner)) {
      throw new UsageException(option + " belongs to ctl " + owner);
    }
  }

  private Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (file != null) {
      // The server's directory is another one.
      fields.put("file", PathText.of("FILE", file).toAbsolutePath().normalize().toString());
    }
    if (command.equals(DISK)) {
      fields.put("device", arguments.get(1));
      if (arguments.getFirst().equals(RESIZE)) {
        fields.put("bytes", size(arguments.getLast()));
      }
    }
    if (command.equals(DETACH)) {
      fields.put("device", arguments.getFirst());
    }
    if (command.equals(FORWARD)) {
      PortForward forward = PciOptions.forward("ctl forward", arguments.getFirst());
      fields.put("hostPort", forward.hostPort());
      fields.put("guestPort", forward.guestPort());
      Optional.ofNullable(device).ifPresent(path -> fields.put("device", path));
    }
    if (format != null) {
      fields.put("format", format);
    }
    if (suspend) {
      fields.put("suspend", true);
    }
    if (live) {
      fields.put("live", true);
    }
    Optional.ofNullable(address)
        .ifPresent(text -> fields.put("address", number("--address", text)));
    Optional.ofNullable(length).ifPresent(text -> fields.put("length", number("--length", text)));
    return fields;
  }

  private static long size(String text) {
    try {
      return MemorySize.parse(text).bytes();
    } catch (IllegalArgumentException e) {
      throw new UsageException("SIZE: " + e.getMessage());
    }
  }

  private static String number(String option, String text) {
    try {
      String digits = text.startsWith("0x") ? text.substring(2) : text;
      long value = Long.parseUnsignedLong(digits, text.startsWith("0x") ? 16 : 10);
      return "0x" + Long.toHexString(value);
    } catch (NumberFormatException e) {
      throw new UsageException(option + ": '" + text + "' is not a number");
    }
  }

  /** Ends when the machine or the input does, or when the user leaves. */
  private int console(ControlClient client) throws IOException {
    ControlClient.Console console = client.console(device == null ? Session.SERIAL : device);
    SerialInput input =
        SerialInput.standard(streams(), new Line(console.input()), () -> close(client));
    try (input) {
      byte[] buffer = new byte[4096];
      for (int n = read(console.output(), buffer); n >= 0; n = read(console.output(), buffer)) {
        streams().out().write(buffer, 0, n);
        streams().out().flush();
      }
    }
    return ExitCode.OK;
  }

  /** However a connection ends, cut off by the machine's end or closed here, it has ended. */
  private static int read(InputStream console, byte[] buffer) {
    try {
      return console.read(buffer);
    } catch (IOException e) {
      return -1;
    }
  }

  /** The direction of the line that leads to the guest. */
  private record Line(OutputStream guest) implements Session.GuestInput {
    @Override
    public boolean accept(byte[] bytes) {
      try {
        guest.write(bytes);
        return true;
      } catch (IOException e) {
        return false; // the connection has ended, which the reader of its output sees too
      }
    }

    @Override
    public void end() {
      try {
        guest.close();
      } catch (IOException e) {
        return; // ended already
      }
    }
  }

  private static void close(ControlClient client) {
    try {
      client.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
