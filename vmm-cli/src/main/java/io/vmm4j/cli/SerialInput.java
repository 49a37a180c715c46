package io.vmm4j.cli;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries what comes in on the host to the guest's serial port, and then its end. That is not the
 * machine's: a guest whose input is an empty pipe goes on.
 */
final class SerialInput implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SerialInput.class);
  private static final String CONTROLLING_TERMINAL = "/dev/tty";

  private final Optional<Runnable> restoreTerminal;
  private final Optional<Thread> hook;

  private SerialInput(Optional<Runnable> restoreTerminal) {
    this.restoreTerminal = restoreTerminal;
    this.hook = restoreTerminal.map(Thread::new);
    hook.ifPresent(Runtime.getRuntime()::addShutdownHook);
  }

  /**
   * Begins to read standard input, raw if it is a terminal.
   *
   * @param onEscape called when the user asks for the machine's end
   */
  static SerialInput standard(Streams streams, Session.GuestInput guest, Runnable onEscape) {
    return new SerialInput(
        streams.inputIsTerminal()
            ? raw(ProcessBuilder.Redirect.INHERIT, streams.in(), guest, onEscape)
            : plain(streams.in(), guest));
  }

  /** Begins to read the controlling terminal, if there is one: standard input is taken. */
  static SerialInput controllingTerminal(Session.GuestInput guest, Runnable onEscape) {
    try {
      InputStream in = new FileInputStream(CONTROLLING_TERMINAL);
      java.io.File file = new java.io.File(CONTROLLING_TERMINAL);
      return new SerialInput(raw(ProcessBuilder.Redirect.from(file), in, guest, onEscape));
    } catch (IOException e) {
      LOG.debug("there is no terminal; the guest gets no input", e);
      return new SerialInput(Optional.empty());
    }
  }

  private static Optional<Runnable> raw(
      ProcessBuilder.Redirect terminal,
      InputStream in,
      Session.GuestInput guest,
      Runnable onEscape) {
    Optional<Runnable> restore = Terminal.of(terminal).makeRaw();
    EscapeFilter filter = new EscapeFilter(onEscape);
    pump(in, guest, filter::filter);
    return restore;
  }

  private static Optional<Runnable> plain(InputStream in, Session.GuestInput guest) {
    pump(in, guest, Arrays::copyOf);
    return Optional.empty();
  }

  private interface Filter {
    /** What is for the guest of the first bytes of a buffer. */
    byte[] apply(byte[] buffer, int count);
  }

  /** A platform thread: a read of a descriptor blocks and can't be interrupted. */
  private static void pump(InputStream in, Session.GuestInput guest, Filter filter) {
    Thread.ofPlatform()
        .daemon()
        .name("vmm-input")
        .start(() -> {
          byte[] buffer = new byte[4096];
          try {
            int n = in.read(buffer);
            while (n >= 0 && guest.accept(filter.apply(buffer, n))) {
              n = in.read(buffer);
            }
            LOG.debug("the input or the machine has ended");
            guest.end();
          } catch (IOException e) {
            LOG.debug("the input can't be read on", e);
          }
        });
  }

  /** Brings the terminal back. */
  @Override
  public void close() {
    restoreTerminal.ifPresent(Runnable::run);
    hook.ifPresent(thread -> {
      try {
        Runtime.getRuntime().removeShutdownHook(thread);
      } catch (IllegalStateException e) {
        LOG.trace("the process ends already, and the hook does nothing more", e);
      }
    });
  }
}
