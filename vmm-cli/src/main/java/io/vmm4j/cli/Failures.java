package io.vmm4j.cli;

import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.BootException;
import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.DeviceException;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmTimeoutException;
import io.vmm4j.api.state.StateFormatException;
import io.vmm4j.control.ControlException;
import io.vmm4j.gdb.GdbException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Turns what went wrong into one clear line and an exit code. */
final class Failures {
  private Failures() {}

  /**
   * Reports a failure.
   *
   * @param verbose whether the stack trace is wanted
   * @return the exit code
   */
  static int report(Throwable failure, boolean verbose, Messages messages) {
    messages.say(line(failure));
    if (verbose) {
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      trace.toString().lines().forEach(messages::say);
    } else if (!(expected(failure))) {
      messages.say("this should not happen; --verbose shows where");
    }
    return exitCode(failure);
  }

  /** The exit code that goes with a failure. */
  static int exitCode(Throwable failure) {
    return switch (failure) {
      case UsageException e -> ExitCode.USAGE;
      case InvalidSpecException e ->
          e.faults().stream().allMatch(fault -> fault.path().startsWith("boot/"))
              ? ExitCode.FILE
              : ExitCode.USAGE;
      case BackendUnavailableException e -> ExitCode.BACKEND;
      case BootException e -> ExitCode.FILE;
      case ConsoleExpectationException e -> e.machineEnded() ? ExitCode.CRASHED : ExitCode.TIMEOUT;
      case VmTimeoutException e -> ExitCode.TIMEOUT;
      case ControlException.Refused e -> ExitCode.REFUSED;
      case ControlException e -> ExitCode.FILE;
      case GdbException e -> ExitCode.FILE;
      case SnapshotException e -> ExitCode.SNAPSHOT;
      case StateFormatException e -> ExitCode.SNAPSHOT;
      case DeviceException e when e.getCause() instanceof IOException -> ExitCode.FILE;
      case IOException e -> ExitCode.FILE;
      case UncheckedIOException e -> ExitCode.FILE;
      default -> ExitCode.FAILURE;
    };
  }

  private static boolean expected(Throwable failure) {
    return failure instanceof VmException
        || failure instanceof IOException
        || failure instanceof UncheckedIOException
        || failure instanceof UsageException
        || failure instanceof OutOfMemoryError;
  }

  /** The failure in one line. */
  static String line(Throwable failure) {
    String text =
        switch (failure) {
          case FileSystemException e when e.getReason() != null ->
              e.getFile() + ": " + e.getReason();
          case NoSuchFileException e -> "no such file: " + e.getFile();
          case AccessDeniedException e -> "not allowed to access " + e.getFile();
          case UncheckedIOException e -> line(e.getCause());
          case VmException e -> e.getMessage();
          case UsageException e -> e.getMessage();
          case OutOfMemoryError e ->
              "not enough memory for Java: %s; VMM_JAVA_OPTS=-Xmx512m gives a heap of 512 MiB"
                  .formatted(e.getMessage());
          case IOException e when e.getMessage() != null -> e.getMessage();
          default -> failure.toString();
        };
    return String.valueOf(text).lines().map(String::strip).reduce((a, b) -> a + " " + b).orElse("");
  }
}
