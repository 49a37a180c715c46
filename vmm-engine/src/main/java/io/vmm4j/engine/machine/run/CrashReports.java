package io.vmm4j.engine.machine.run;

import io.vmm4j.api.VmExit;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a machine ends after an error of a device or a backend. The host's heap may be exhausted
 * then, so that nothing about the error can be said; the machine has to end all the same. So this
 * is made with the machine: there may be no room to load a class later.
 */
final class CrashReports {
  private static final Logger LOG = LoggerFactory.getLogger(CrashReports.class);

  private final String machine;
  private final UnaryOperator<Throwable> explanation;
  private final VmExit undescribed =
      new VmExit.Crashed(
          "an error that could not be described; the host's heap may be exhausted", "");

  /**
   * Those of one machine.
   *
   * @param explanation makes an error say what failed
   */
  CrashReports(String machine, UnaryOperator<Throwable> explanation) {
    this.machine = machine;
    this.explanation = explanation;
  }

  /** Logs an error and describes it. Throws nothing. */
  VmExit of(String path, String during, Throwable thrown) {
    try {
      Throwable cause = explanation.apply(thrown);
      LOG.error("machine '{}': {} has thrown during {}", machine, path, during, cause);
      StringWriter trace = new StringWriter();
      try (PrintWriter writer = new PrintWriter(trace)) {
        cause.printStackTrace(writer);
      }
      return new VmExit.Crashed(
          "%s: error during %s: %s".formatted(path, during, cause), trace.toString());
    } catch (Throwable e) {
      return undescribed;
    }
  }

  /** Logs an error behind which the machine goes on to its end. Throws nothing. */
  void log(String what, Throwable thrown) {
    try {
      LOG.error("machine '{}': {}", machine, what, thrown);
    } catch (Throwable e) {
      return; // there is no room to say it
    }
  }

  /** An exit as the log says it. */
  static String oneLine(VmExit exit) {
    return switch (exit) {
      case VmExit.Crashed crashed -> "crashed: " + crashed.reason();
      case VmExit.Dead dead -> "its guest is dead";
      case VmExit.Panicked panicked -> "its guest has panicked";
      case VmExit.Reset reset -> "reset by " + reset.cause().description();
      default -> exit.toString();
    };
  }
}
