package io.vmm4j.cli;

import io.vmm4j.api.PrintableText;
import java.io.PrintStream;

/**
 * The command's own words, on standard error: each a line that begins with {@code vmm:}, and
 * progress on a terminal. Safe for any thread.
 */
final class Messages {
  private static final long PROGRESS_NANOS = 100_000_000;

  private final PrintStream err;
  private final boolean terminal;
  private long lastProgress;
  private boolean progressShown;

  /**
   * Messages to a stream.
   *
   * @param terminal whether somebody watches, so that progress is shown
   */
  Messages(PrintStream err, boolean terminal) {
    this.err = err;
    this.terminal = terminal;
  }

  /** Prints a line. No character in it can control the terminal. */
  synchronized void say(String line) {
    endProgress();
    err.println("vmm: " + PrintableText.line(line));
  }

  /** Shows how far something is, in the place of what was shown before. Cheap to call often. */
  synchronized void progress(String what) {
    long now = System.nanoTime();
    if (terminal && (!progressShown || now - lastProgress > PROGRESS_NANOS)) {
      err.print("\r\u001b[Kvmm: " + PrintableText.line(what));
      err.flush();
      lastProgress = now;
      progressShown = true;
    }
  }

  /** Takes the progress line away. */
  synchronized void endProgress() {
    if (progressShown) {
      err.print("\r\u001b[K");
      err.flush();
      progressShown = false;
    }
  }
}
