package io.vmm4j.engine.machine.run;

import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.clock.TimerQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Under real time: the thread that fires timers and runs tasks, with the machine lock held, while
 * the machine runs. While it is paused, both wait.
 */
final class EventLoop implements Runnable {
  private final RunControl control;
  private final MachineTime time;
  private final TimerQueue timers;
  private final TaskQueue tasks;
  private final ReentrantLock lock;
  private final Consumer<Throwable> failed;
  private @Nullable Thread thread;

  EventLoop(
      RunControl control,
      MachineTime time,
      TimerQueue timers,
      TaskQueue tasks,
      ReentrantLock lock) {
    this.control = control;
    this.time = time;
    this.timers = timers;
    this.tasks = tasks;
    this.lock = lock;
    this.failed = e -> control.failed("machine", "its events", e);
  }

  Thread start(String name) {
    Thread started = Thread.ofPlatform().name(name).daemon().unstarted(this);
    thread = started;
    started.start();
    return started;
  }

  /** Makes it look again. A wake between its look and its sleep is not lost. Any thread. */
  void wake() {
    LockSupport.unpark(thread);
  }

  @Override
  public void run() {
    while (!control.hasEnded()) {
      long sleepNanos = 0;
      try {
        sleepNanos = turn();
      } catch (Throwable e) {
        MachineThreads.reportForSure(failed, e);
      }
      if (sleepNanos == TimerQueue.NEVER) {
        LockSupport.park(this);
      } else if (sleepNanos > 0) {
        LockSupport.parkNanos(this, sleepNanos);
      }
    }
  }

  /** Does what is to be done and says how long there is nothing more. */
  private long turn() {
    lock.lock();
    try {
      // Waiting for the lock may have used up the wake: what it was for is looked at in here.
      if (control.hasEnded()) {
        return 0;
      }
      if (!control.isRunning()) {
        return TimerQueue.NEVER;
      }
      tasks.runAll();
      timers.fireDue(time.nanoTime());
      if (!tasks.isEmpty()) {
        return 0;
      }
      long deadline = timers.nextDeadline();
      return deadline == TimerQueue.NEVER ? deadline : Math.max(0, deadline - time.nanoTime());
    } finally {
      lock.unlock();
    }
  }
}
