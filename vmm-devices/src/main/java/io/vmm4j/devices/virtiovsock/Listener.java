package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.vsock.VsockChannel;
import io.vmm4j.api.vsock.VsockListener;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** A port at which a program of the host listens, with the connections that wait for it. */
final class Listener implements VsockListener {
  private static final int MOST_WAITING = 128;

  private final long port;
  private final Consumer<Listener> onClose;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<HostChannel> waiting = new ArrayDeque<>();
  private boolean closed;

  Listener(long port, Consumer<Listener> onClose) {
    this.port = port;
    this.onClose = onClose;
  }

  @Override
  public long port() {
    return port;
  }

  /** Adds a connection, if there is room. */
  boolean offer(HostChannel channel) {
    lock.lock();
    try {
      if (closed || waiting.size() == MOST_WAITING) {
        return false;
      }
      waiting.add(channel);
      changed.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public VsockChannel accept(Duration timeout) throws IOException {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (waiting.isEmpty() && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      if (closed) {
        throw new ClosedChannelException();
      }
      if (waiting.isEmpty()) {
        throw new SocketTimeoutException(
            "no connection to port %d within %s".formatted(port, timeout));
      }
      return waiting.remove();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (InterruptedIOException) new InterruptedIOException("interrupted").initCause(e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    onClose.accept(this);
    lock.lock();
    try {
      closed = true;
      waiting.forEach(HostChannel::close);
      waiting.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
