package io.vmm4j.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;

/**
 * The command line, {@code vmm}. Its options and exit codes are stable: programs depend on them.
 */
@CommandLine.Command(
    name = "vmm",
    version = "vmm 0.1.0",
    header =
        "Runs virtual machines, saves them in the middle of their work, and goes on elsewhere.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      RunCommand.class,
      RestoreCommand.class,
      InspectCommand.class,
      CtlCommand.class,
      DiffCommand.class,
      SnapshotCommand.class,
      BackendsCommand.class,
      DemoCommand.class
    },
    commandListHeading = "%nCommands (each has a --help of its own):%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the guest switched the machine off, or the command did what it was asked",
      "odd:the guest wrote v to the debug exit port 0xF4: (v << 1) | 1, its low 8 bits",
      "2:the command line is wrong",
      "4:the guest asked for a reset, other than by a triple fault",
      "6:the machine crashed, or a triple fault reset it",
      "8:the time of --timeout is over",
      "10:a file can't be read, written or booted",
      "12:a snapshot is damaged or can't be restored here",
      "14:the backend asked for can't run here",
      "16:ended from the terminal (Ctrl-A x), or by ctl stop",
      "18:the machine ended before the text of --save-when came",
      "20:another failure",
      "22:the guest of the demo computed something wrong",
      "24:the machine refused what ctl asked of it",
      "26:the two snapshots of diff differ",
      "28:every vCPU halted with interrupts disabled, with --end-when-dead",
      "30:the guest's kernel panicked, and said so to a pvpanic device",
      "70:./vmm could not build or find a JDK"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  Boot Linux, and type to it:",
      "    ./vmm run --kernel vmlinuz --initrd initrd --append \"console=ttyS0 panic=-1\"",
      "  Boot to the login once, and begin there ever after:",
      "    ./vmm run --kernel vmlinuz --initrd initrd --append console=ttyS0 \\",
      "        --save-when \"login:\" --save ready.vmm --exit-after-save",
      "    ./vmm restore ready.vmm",
      "  Move a machine:",
      "    ssh host cat ready.vmm | ./vmm restore -",
      "  Look at a running machine, and save it:",
      "    ./vmm restore ready.vmm --control /tmp/web.sock",
      "    ./vmm ctl /tmp/web.sock status",
      "    ./vmm ctl /tmp/web.sock snapshot web.vmm --suspend"
    })
public final class Main implements Runnable {
  private static final String LOG_LEVEL = "vmm4j.log";

  private final Streams streams;
  private final Messages messages;

  @CommandLine.Spec CommandLine.Model.@org.jspecify.annotations.Nullable CommandSpec spec;

  @CommandLine.Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @CommandLine.Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  boolean version;

  Main(Streams streams) {
    this.streams = streams;
    this.messages = new Messages(streams.err(), streams.errorIsTerminal());
  }

  /** Runs the command line and ends the process. */
  public static void main(String[] args) {
    for (String arg : args) {
      if (arg.equals("--verbose") || arg.equals("-v")) {
        System.setProperty(LOG_LEVEL, "DEBUG"); // read by logback.xml, so before the first logger
      }
    }
    System.exit(new Main(Streams.ofProcess()).execute(args));
  }

  /** Runs the command line and gives the exit code. */
  int execute(String... args) {
    PrintWriter out = new PrintWriter(streams.out(), true, StandardCharsets.UTF_8);
    CommandLine line =
        new CommandLine(this)
            .setOut(out)
            .setErr(new PrintWriter(streams.err(), true))
            .setUsageHelpWidth(100)
            .registerConverter(Path.class, new PathText())
            .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
            .setParameterExceptionHandler((e, arguments) -> usage(e))
            .setExecutionExceptionHandler((e, failed, result) ->
                Failures.report(
                    e, failed.getParseResult().hasMatchedOption("--verbose"), messages));
    int code;
    try {
      code = line.execute(args);
    } catch (Error e) {
      // Let go on it would end the process with 1, which is a guest's code.
      code = Failures.report(e, List.of(args).contains("--verbose"), messages);
    }
    messages.endProgress();
    out.flush();
    return code;
  }

  private int usage(ParameterException e) {
    messages.say(e.getMessage().lines().findFirst().orElse("bad usage"));
    messages.say("try: ./" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
    return ExitCode.USAGE;
  }

  /** Without a command there is nothing to do but to tell which there are. */
  @Override
  public void run() {
    throw new ParameterException(
        java.util.Objects.requireNonNull(spec).commandLine(),
        "which command? run, restore, inspect, diff, snapshot, ctl, backends or demo");
  }

  Streams streams() {
    return streams;
  }

  Messages messages() {
    return messages;
  }
}
