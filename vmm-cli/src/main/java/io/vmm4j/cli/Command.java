package io.vmm4j.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** What all commands have. */
abstract class Command implements Callable<Integer> {
  @ParentCommand @Nullable Main parent;

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

  Streams streams() {
    return java.util.Objects.requireNonNull(parent).streams();
  }

  Messages messages() {
    return java.util.Objects.requireNonNull(parent).messages();
  }
}
