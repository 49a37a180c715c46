package io.vmm4j.cli;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Switches a terminal to raw input and back, through stty(1): Java has no call for it, and a native
 * one would need a JVM flag. Output keeps its line ends, so that messages look right among what the
 * guest prints.
 */
final class Terminal {
  private static final Logger LOG = LoggerFactory.getLogger(Terminal.class);

  /** Keys reach the guest one by one and unchanged, Ctrl-C, Ctrl-Z and Ctrl-S too. */
  private static final List<String> RAW =
      List.of("-icanon", "-echo", "-isig", "-iexten", "-ixon", "-icrnl", "min", "1", "time", "0");

  /** Runs stty on the terminal. */
  interface Stty {
    /** Its output, or empty if it failed: what it was to act on is no terminal. */
    Optional<String> run(List<String> arguments) throws IOException, InterruptedException;
  }

  private final Stty stty;

  Terminal(Stty stty) {
    this.stty = stty;
  }

  /** The terminal that a file is, {@code /dev/tty} or {@code /dev/stdin}. */
  static Terminal of(ProcessBuilder.Redirect input) {
    return new Terminal(arguments -> {
      List<String> command = new java.util.ArrayList<>(List.of("stty"));
      command.addAll(arguments);
      Process process =
          new ProcessBuilder(command)
              .redirectInput(input)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String output = new String(process.getInputStream().readAllBytes()).strip();
      return process.waitFor() == 0 ? Optional.of(output) : Optional.empty();
    });
  }

  /**
   * Makes it raw.
   *
   * @return brings it back, once however often it is run; empty if it is no terminal
   */
  Optional<Runnable> makeRaw() {
    try {
      Optional<String> settings = stty.run(List.of("-g"));
      if (settings.isEmpty() || stty.run(RAW).isEmpty()) {
        return Optional.empty();
      }
      AtomicReference<Optional<String>> saved = new AtomicReference<>(settings);
      return Optional.of(() -> saved.getAndSet(Optional.empty()).ifPresent(this::bringBack));
    } catch (IOException e) {
      LOG.debug("stty can't be run; keys are sent line by line", e);
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private void bringBack(String settings) {
    try {
      stty.run(List.of(settings));
    } catch (IOException e) {
      LOG.warn("the terminal's settings could not be brought back: run 'stty sane'", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
