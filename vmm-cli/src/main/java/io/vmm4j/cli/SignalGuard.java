package io.vmm4j.cli;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes something when a signal ends the process: nothing else of the program runs then. What it
 * waits for, such as a snapshot that is being written, it does not wait for long.
 */
final class SignalGuard implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SignalGuard.class);
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private final Thread hook;

  private SignalGuard(Thread hook) {
    this.hook = hook;
  }

  /** Begins to watch over something that removes its files first when it is closed. */
  static SignalGuard of(AutoCloseable resource) {
    Thread hook = Thread.ofPlatform().name("vmm-signal").unstarted(() -> close(resource));
    Runtime.getRuntime().addShutdownHook(hook);
    return new SignalGuard(hook);
  }

  private static void close(AutoCloseable resource) {
    Thread closing =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                resource.close();
              } catch (Exception e) {
                LOG.warn("{} can't be closed", resource, e);
              }
            });
    try {
      closing.join(LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The program goes on and closes it itself. */
  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      LOG.trace("the process ends already, and the hook does its work", e);
    }
  }
}
