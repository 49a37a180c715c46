package io.vmm4j.cli;

import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all commands have. */
abstract class Command implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-v", "--verbose"},
      description = "Show stack traces, and what goes on inside.")
  boolean verbose;

  private Main main() {
    return (Main) Objects.requireNonNull(spec).root().userObject();
  }

  Streams streams() {
    return main().streams();
  }

  Messages messages() {
    return main().messages();
  }
}
