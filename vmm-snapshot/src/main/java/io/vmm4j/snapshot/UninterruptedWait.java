package io.vmm4j.snapshot;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/**
 * Waits for a task that must not be left when the thread is interrupted: it takes milliseconds, and
 * may be writing to memory that the caller is about to release.
 */
final class UninterruptedWait {
  private UninterruptedWait() {}

  /** Returns the result; an interrupt is kept for later. Throws what the task has thrown. */
  static <T> T get(Future<T> task) throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException runtime -> throw runtime;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
