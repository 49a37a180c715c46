package io.vmm4j.engine.machine.run;

import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.clock.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The workers of a machine's devices: a thread for each under real time, and tasks of the machine
 * under virtual time. Between {@link #quiesce} and {@link #resume} no request is under way.
 */
public final class Workers {
  /** How many requests one task does under virtual time, before others have their turn. */
  private static final int TASK_REQUESTS = 256;

  private final RunControl control;
  private final ReentrantLock lock;
  private final boolean threads;
  private final Condition idle;
  private final List<Worker> workers = new ArrayList<>();
  private boolean started;
  private boolean quiet;

  /** No workers yet. */
  public Workers(RunControl control, ReentrantLock lock, MachineTime time) {
    this.control = control;
    this.lock = lock;
    this.threads = !(time instanceof VirtualTime);
    this.idle = lock.newCondition();
  }

  /** Adds one. With the machine lock held. */
  public DeviceWorker add(String path, String name, DeviceWorker.Requests requests) {
    Worker worker = new Worker(path, name, requests);
    workers.add(worker);
    if (started) {
      worker.start();
    }
    return worker;
  }

  /** Starts the threads. With the machine lock held. */
  public void start() {
    started = true;
    workers.forEach(Worker::start);
  }

  /** Waits until no request is under way, and has none begun. With the machine lock held, once. */
  public void quiesce() {
    quiet = true;
    while (workers.stream().anyMatch(worker -> worker.underWay)) {
      idle.awaitUninterruptibly();
    }
  }

  /** Lets requests begin again. With the machine lock held. */
  public void resume() {
    quiet = false;
    workers.forEach(Worker::wake);
  }

  /** Ends the workers of a device, none of whose requests is under way. With the lock held. */
  public void release(String path) {
    for (Worker worker : workers) {
      if (worker.path.equals(path)) {
        worker.released = true;
        worker.wake();
      }
    }
    workers.removeIf(worker -> worker.path.equals(path));
  }

  /** Ends the threads: the machine has ended. With the machine lock held. */
  public void end() {
    workers.forEach(Worker::wake);
  }

  private final class Worker implements DeviceWorker {
    private final String path;
    private final String name;
    private final Requests requests;
    private final List<Runnable> whenIdle = new ArrayList<>();
    private boolean underWay;
    private volatile boolean released;
    private volatile @Nullable Thread thread;

    Worker(String path, String name, Requests requests) {
      this.path = path;
      this.name = name;
      this.requests = requests;
    }

    void start() {
      if (!threads) {
        return;
      }
      control
          .threads()
          .add(
              path + "-" + name,
              threadName -> {
                Thread made = Thread.ofPlatform().name(threadName).daemon().unstarted(this::run);
                thread = made;
                made.start();
                return made;
              });
    }

    @Override
    public void wake() {
      if (threads) {
        LockSupport.unpark(thread);
      } else {
        control.executeForDevice(path, this::doSome);
      }
    }

    @Override
    public void whenIdle(Runnable action) {
      lock.lock();
      try {
        if (underWay) {
          whenIdle.add(action);
        } else {
          action.run();
        }
      } finally {
        lock.unlock();
      }
    }

    /**
     * The thread. Waiting for the lock may use up a wake: so what a wake can be for, the end too,
     * is looked at once more after the lock was held, and no lock is taken before the sleep.
     */
    private void run() {
      while (!isOver()) {
        Optional<Request> next = takeLocked();
        if (next.isPresent()) {
          doOne(next.get());
        } else if (!isOver()) {
          LockSupport.park(this);
        }
      }
    }

    private boolean isOver() {
      return released || control.hasEnded();
    }

    private Optional<Request> takeLocked() {
      lock.lock();
      try {
        Optional<Request> next = isOver() || quiet ? Optional.empty() : take();
        underWay = next.isPresent();
        return next;
      } finally {
        lock.unlock();
      }
    }

    private Optional<Request> take() {
      try {
        return requests.take();
      } catch (Throwable e) {
        control.failed(path, name + " takes a request", e);
        return Optional.empty();
      }
    }

    private void doOne(Request request) {
      boolean done = work(request);
      lock.lock();
      try {
        if (done) {
          complete(request);
        }
      } finally {
        underWay = false;
        List<Runnable> actions = List.copyOf(whenIdle);
        whenIdle.clear();
        actions.forEach(this::runIdle);
        idle.signalAll();
        lock.unlock();
      }
    }

    private boolean work(Request request) {
      try {
        request.work();
        return true;
      } catch (Throwable e) {
        control.failed(path, name + " does a request", e);
        return false;
      }
    }

    private void complete(Request request) {
      try {
        request.complete();
      } catch (Throwable e) {
        control.failed(path, name + " completes a request", e);
      }
    }

    private void runIdle(Runnable action) {
      try {
        action.run();
      } catch (Throwable e) {
        control.failed(path, name + " is idle", e);
      }
    }

    /** Under virtual time: with the machine lock held. */
    private void doSome() {
      if (underWay || released) {
        return; // a request has woken its own worker
      }
      for (int i = 0; i < TASK_REQUESTS; i++) {
        Optional<Request> next = take();
        if (next.isEmpty()) {
          return;
        }
        underWay = true;
        doOne(next.get());
      }
      wake();
    }
  }
}
