package io.vmm4j.network;

import io.vmm4j.api.network.GuestChannel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A channel of a Java program into the guest, with what waits in each direction. */
final class ProgramChannel implements GuestChannel {
  private static final int BUFFER_BYTES = 64 << 10;

  private final Runnable wake;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ByteRing input = new ByteRing(BUFFER_BYTES);
  private final ByteRing output = new ByteRing(BUFFER_BYTES);
  private boolean open;
  private boolean inputEnded;
  private boolean outputEnded;
  private boolean closed;
  private Optional<String> failure = Optional.empty();

  /**
   * A channel that is not connected yet.
   *
   * @param wake has the network look at it; takes no lock that is held while it is called upon
   */
  ProgramChannel(Runnable wake) {
    this.wake = wake;
  }

  // ---- for the Java program ----

  /** Waits until the guest has answered. */
  void awaitOpen() throws IOException {
    lock.lock();
    try {
      while (!open && failure.isEmpty()) {
        changed.await();
      }
      if (!open) {
        throw new ConnectException(failure.orElseThrow());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closeLocked();
      throw (InterruptedIOException) new InterruptedIOException("interrupted").initCause(e);
    } finally {
      lock.unlock();
    }
  }

  private void awaitChange() throws IOException {
    try {
      changed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closeLocked();
      throw (IOException) new ClosedByInterruptException().initCause(e);
    }
  }

  private void requireUsable() throws IOException {
    if (closed) {
      throw new ClosedChannelException();
    }
    if (failure.isPresent()) {
      throw new IOException(failure.get());
    }
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    lock.lock();
    try {
      while (!closed && input.isEmpty() && !inputEnded && failure.isEmpty()) {
        awaitChange();
      }
      if (closed || input.isEmpty() && !inputEnded) {
        requireUsable();
      }
      if (input.isEmpty()) {
        return -1;
      }
      byte[] bytes = new byte[Math.min(target.remaining(), input.size())];
      input.copy(0, bytes, 0, bytes.length);
      input.drop(bytes.length);
      target.put(bytes);
      wake.run();
      return bytes.length;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    int total = source.remaining();
    lock.lock();
    try {
      while (source.hasRemaining()) {
        requireUsable();
        if (outputEnded) {
          throw new ClosedChannelException();
        }
        if (output.free() == 0) {
          awaitChange();
          continue;
        }
        byte[] bytes = new byte[Math.min(output.free(), source.remaining())];
        source.get(bytes);
        output.append(bytes, 0, bytes.length);
        wake.run();
      }
      return total;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void shutdownOutput() throws IOException {
    lock.lock();
    try {
      requireUsable();
      outputEnded = true;
      changed.signalAll();
      wake.run();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isOpen() {
    lock.lock();
    try {
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closeLocked();
    } finally {
      lock.unlock();
    }
  }

  private void closeLocked() {
    closed = true;
    outputEnded = true;
    changed.signalAll();
    wake.run();
  }

  // ---- for the stack ----

  private void change(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The guest has taken the connection. */
  void opened() {
    change(() -> open = true);
  }

  /** The guest has ended its half. */
  void endInput() {
    change(() -> inputEnded = true);
  }

  /** It is over, and not in order. */
  void fail(String why) {
    change(() -> failure = Optional.of(why));
  }

  /** Takes what the program has written; -1 at the end. */
  int take(ByteRing target) {
    lock.lock();
    try {
      if (output.isEmpty()) {
        return outputEnded ? -1 : 0;
      }
      int count = move(output, target);
      changed.signalAll();
      return count;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the program something to read, as far as there is room.
   *
   * @throws ClosedChannelException if it has closed the channel
   */
  void give(ByteRing source) throws ClosedChannelException {
    lock.lock();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      move(source, input);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private static int move(ByteRing source, ByteRing target) {
    byte[] bytes = new byte[Math.min(source.size(), target.free())];
    source.copy(0, bytes, 0, bytes.length);
    source.drop(bytes.length);
    target.append(bytes, 0, bytes.length);
    return bytes.length;
  }
}
