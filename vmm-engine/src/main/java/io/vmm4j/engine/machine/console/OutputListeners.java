package io.vmm4j.engine.machine.console;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listeners of one console. One thread calls them all, apart from the guest: so a slow listener
 * holds up nobody else, and any of them may ask anything of the machine. It lives while there are
 * listeners and the machine has not ended.
 */
final class OutputListeners {
  private static final Logger LOG = LoggerFactory.getLogger(OutputListeners.class);
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long CLOSE_SECONDS = 30;

  private final HostConsole console;
  private final String threadName;
  private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
  private @Nullable Thread thread;

  OutputListeners(HostConsole console, String threadName) {
    this.console = console;
    this.threadName = threadName;
  }

  private final class Subscription implements AutoCloseable {
    private final Consumer<byte[]> listener;
    private byte[] before;
    private long position;

    Subscription(Consumer<byte[]> listener, byte[] before, long position) {
      this.listener = listener;
      this.before = before;
      this.position = position;
    }

    @Override
    public void close() {
      subscriptions.remove(this);
      console.wake();
    }
  }

  /**
   * Adds a listener.
   *
   * @param before what it is to hear first
   * @param position from where on it hears the rest
   */
  AutoCloseable add(Consumer<byte[]> listener, byte[] before, long position) {
    Subscription subscription = new Subscription(listener, before, position);
    synchronized (this) {
      subscriptions.add(subscription);
      if (thread == null) {
        thread = Thread.ofPlatform().name(threadName).daemon().start(this::run);
      }
    }
    console.wake();
    return subscription;
  }

  private void run() {
    try {
      while (true) {
        // Asked before the output is taken: what comes before the end is delivered.
        boolean ended = console.exit() != null;
        long behind = Long.MAX_VALUE;
        for (Subscription subscription : subscriptions) {
          deliver(subscription);
          behind = Math.min(behind, subscription.position);
        }
        synchronized (this) {
          if (ended || subscriptions.isEmpty()) {
            boolean delivered = subscriptions.stream().allMatch(this::isUpToDate);
            if (delivered) {
              thread = null;
              return;
            }
            continue;
          }
        }
        console.awaitHeard(behind, System.nanoTime() + TimeUnit.SECONDS.toNanos(1));
        console.gather(GATHER_NANOS);
      }
    } catch (InterruptedException e) {
      synchronized (this) {
        thread = null;
      }
    }
  }

  private boolean isUpToDate(Subscription subscription) {
    return subscription.before.length == 0
        && console.heard(subscription.position).bytes().length == 0;
  }

  private void deliver(Subscription subscription) {
    byte[] before = subscription.before;
    if (before.length > 0) {
      subscription.before = new byte[0];
      call(subscription, before);
    }
    HostConsole.Output output = console.heard(subscription.position);
    if (output.bytes().length > 0) {
      subscription.position = output.end();
      call(subscription, output.bytes());
    }
  }

  private void call(Subscription subscription, byte[] bytes) {
    try {
      subscription.listener.accept(bytes);
    } catch (RuntimeException e) {
      LOG.warn("console '{}': removing a listener that has thrown", console.path(), e);
      subscriptions.remove(subscription);
    }
  }

  /** Waits for the rest of the output to be delivered; not if called by a listener. */
  void close() {
    Thread running;
    synchronized (this) {
      running = thread;
    }
    if (running == null || running == Thread.currentThread()) {
      return;
    }
    if (!join(running)) {
      LOG.warn("console '{}': a listener has not returned for {} s", console.path(), CLOSE_SECONDS);
      running.interrupt();
    }
  }

  /** An interrupt of the caller is none of the listeners': they have the rest all the same. */
  private static boolean join(Thread running) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return running.join(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
