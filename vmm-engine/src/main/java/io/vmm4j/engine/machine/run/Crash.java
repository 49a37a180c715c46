package io.vmm4j.engine.machine.run;

import io.vmm4j.api.VmExit;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a machine ends after an error of a device or a backend. The host's heap may be exhausted
 * then, so that nothing about the error can be said; the machine has to end all the same.
 */
final class Crash {
  private static final Logger LOG = LoggerFactory.getLogger(Crash.class);

  /** For an error that can't be described. It is made beforehand: later there may be no room. */
  static final VmExit UNDESCRIBED =
      new VmExit.Crashed(
          "an error that could not be described; the host's heap may be exhausted", "");

  private Crash() {}

  /**
   * Logs an error and describes it. Throws nothing.
   *
   * @param explanation makes the error say what failed
   */
  static VmExit of(
      String machine,
      String path,
      String during,
      Throwable thrown,
      UnaryOperator<Throwable> explanation) {
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
      return UNDESCRIBED;
    }
  }

  /** Logs an error behind which the machine goes on to its end. Throws nothing. */
  static void log(String machine, String what, Throwable thrown) {
    try {
      LOG.error("machine '{}': {}", machine, what, thrown);
    } catch (Throwable e) {
      return; // there is no room to say it
    }
  }
}
