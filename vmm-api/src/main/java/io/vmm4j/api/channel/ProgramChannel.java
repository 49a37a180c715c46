package io.vmm4j.api.channel;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A channel of a Java program into the guest, with what waits in each direction. The program has it
 * as a {@link GuestChannel}; a device model or a network moves the bytes, and never waits.
 *
 * <p>Its lock comes after every other one: nothing is called with it held but {@code wake}.
 */
public final class ProgramChannel implements GuestChannel {
  /** How many bytes wait at most in each direction, if nothing else is said. */
  public static final int BUFFER_BYTES = 64 << 10;

  private static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE);

  private final Runnable wake;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ByteRing input;
  private final ByteRing output;
  private boolean open;
  private boolean inputEnded;
  private boolean outputEnded;
  private boolean closed;
  private Optional<GuestChannelException> failure = Optional.empty();

  /**
   * A channel that is not connected yet.
   *
   * @param wake has the device look at it; takes no lock that is held while it is called upon
   */
  public ProgramChannel(Runnable wake) {
    this(wake, BUFFER_BYTES);
  }

  /**
   * The same with other buffers.
   *
   * @param bufferBytes how many bytes wait at most in each direction
   */
  public ProgramChannel(Runnable wake, int bufferBytes) {
    this.wake = wake;
    this.input = new ByteRing(bufferBytes);
    this.output = new ByteRing(bufferBytes);
  }

  // ---- for the Java program ----

  /**
   * Waits until the guest has answered.
   *
   * @throws ConnectException if it refuses
   */
  public void awaitOpen() throws IOException {
    awaitOpen(FOR_EVER);
  }

  /**
   * Waits until the guest has answered, and closes the channel if it does not in time.
   *
   * @throws ConnectException if it refuses, or does not answer
   */
  public void awaitOpen(Duration timeout) throws IOException {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (!open && failure.isEmpty() && left > 0) {
        left = changed.awaitNanos(left);
      }
      if (!open) {
        closeLocked();
        throw new ConnectException(
            failure.map(Throwable::getMessage).orElse("the guest does not answer"));
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
      GuestChannelException why = failure.get();
      throw new GuestChannelException(why.reason(), String.valueOf(why.getMessage()));
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
    input.clear(); // nobody reads it any more
    changed.signalAll();
    wake.run();
  }

  // ---- for the device ----

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
  public void opened() {
    change(() -> open = true);
  }

  /** The guest has ended its half. */
  public void endInput() {
    change(() -> inputEnded = true);
  }

  /**
   * It is over, and not in order; the first reason is the one that counts. After {@link #endInput}
   * the program still reads to the end, and only its writes fail.
   */
  public void fail(GuestChannelException.Reason reason, String why) {
    change(() -> {
      if (failure.isEmpty()) {
        failure = Optional.of(new GuestChannelException(reason, why));
      }
    });
  }

  /** How many bytes the program has not read yet. */
  public int unread() {
    lock.lock();
    try {
      return input.size();
    } finally {
      lock.unlock();
    }
  }

  /** How many bytes the program has written that were not taken; -1 at the end. */
  public int untaken() {
    lock.lock();
    try {
      return output.isEmpty() && outputEnded ? -1 : output.size();
    } finally {
      lock.unlock();
    }
  }

  /** Takes what the program has written; -1 at the end. */
  public int take(ByteRing target) {
    lock.lock();
    try {
      if (output.isEmpty()) {
        return outputEnded ? -1 : 0;
      }
      int count = output.moveTo(target);
      changed.signalAll();
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** Takes what the program has written, up to so many bytes. */
  public byte[] take(int most) {
    lock.lock();
    try {
      byte[] bytes = new byte[Math.min(most, output.size())];
      output.copy(0, bytes, 0, bytes.length);
      output.drop(bytes.length);
      changed.signalAll();
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the program something to read, as far as there is room.
   *
   * @throws ClosedChannelException if it has closed the channel
   */
  public void give(ByteRing source) throws ClosedChannelException {
    lock.lock();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      source.moveTo(input);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the program something to read. If it has closed the channel they are dropped.
   *
   * @return whether there was room for all of it; else nothing was taken
   */
  public boolean give(byte[] bytes) {
    lock.lock();
    try {
      if (closed) {
        return true;
      }
      if (bytes.length > input.free()) {
        return false;
      }
      input.append(bytes, 0, bytes.length);
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }
}
