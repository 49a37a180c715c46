package io.vmm4j.engine.machine.interrupt;

import io.vmm4j.api.device.InterruptSignal;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/** A signal on a backend that has none of its own: sends its message with the machine lock held. */
public final class MessageSignal implements InterruptSignal {
  private static final int LEVEL_TRIGGERED = 1 << 15;

  private final InterruptMessages messages;
  private final ReentrantLock lock;
  private final Executor tasks;

  /** Raised, and a task is on its way. */
  private final AtomicBoolean waiting = new AtomicBoolean();

  private boolean routed;
  private long address;
  private int data;

  /**
   * A mute one.
   *
   * @param lock the machine lock
   * @param tasks runs what it is given soon, with the lock held
   */
  public MessageSignal(InterruptMessages messages, ReentrantLock lock, Executor tasks) {
    this.messages = messages;
    this.lock = lock;
    this.tasks = tasks;
  }

  /**
   * Refuses what only a line can keep asserted.
   *
   * @throws IllegalArgumentException if the message is level-triggered
   */
  public static void requireEdge(int data) {
    if ((data & LEVEL_TRIGGERED) != 0) {
      throw new IllegalArgumentException("data: 0x%x is level-triggered".formatted(data));
    }
  }

  @Override
  public void route(long newAddress, int newData) {
    requireEdge(newData);
    routed = true;
    address = newAddress;
    data = newData;
  }

  @Override
  public void mute() {
    routed = false;
    waiting.set(false);
  }

  @Override
  public void raise() {
    if (lock.isHeldByCurrentThread()) {
      send();
    } else if (!waiting.getAndSet(true)) {
      tasks.execute(() -> {
        if (waiting.getAndSet(false)) {
          send();
        }
      });
    }
  }

  private void send() {
    if (routed) {
      messages.send(address, data);
    }
  }
}
