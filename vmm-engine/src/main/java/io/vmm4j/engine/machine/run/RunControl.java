package io.vmm4j.engine.machine.run;

import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.VmTimeoutException;
import io.vmm4j.api.backend.VcpuRunner;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.clock.TimerQueue;
import io.vmm4j.engine.machine.clock.VirtualTime;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides who may run. A vCPU's thread asks here before each turn, and stands here while the
 * machine is paused or held; so guest code runs exactly while {@link #mayRun}, and the thread
 * itself, not who asked, makes the step to paused or ended. All of it is guarded by the machine
 * lock; the rules and the races are written down in docs/threads.md.
 */
public final class RunControl implements DeviceFailures {
  private static final Logger LOG = LoggerFactory.getLogger(RunControl.class);

  /** What the machine is asked to do. */
  public enum Mode {
    /** No guest code runs. */
    PAUSED,
    /** Guest code runs. */
    RUNNING,
    /** Guest code runs up to a number of instructions. */
    STEPPING,
    /** No guest code runs any more. */
    ENDED
  }

  private final ReentrantLock lock;
  private final Condition changed;
  private final MachineTime time;
  private final TimerQueue timers;
  private final TaskQueue tasks;
  private final String name;
  private final List<VcpuThread> vcpus = new ArrayList<>();
  private final MachineThreads threads;
  private final Holding holding;
  private final CrashReports crashes;
  private final DeadGuest deadGuest;
  private UnaryOperator<VmExit> atEnd = exit -> exit;
  private Consumer<VmExit> onEnd = exit -> {};
  private Consumer<VmExit> onExitRequest = how -> {};
  private volatile Runnable onDebugStop = () -> {};
  private volatile Runnable onClockStopped = () -> {};
  private @Nullable EventLoop eventLoop;

  private volatile Mode mode = Mode.PAUSED;
  private volatile boolean stopRequested = true;
  private volatile @Nullable VmExit exit;
  private @Nullable VmExit pendingExit;
  private int holds;
  private int active;
  private long stepTarget;
  private long runningNanos;
  private long runningSince;

  /**
   * Control of a paused machine without vCPUs.
   *
   * @param explanation makes what was thrown by an access to the machine's memory say what failed
   */
  public RunControl(
      String name, ReentrantLock lock, MachineTime time, UnaryOperator<Throwable> explanation) {
    this.name = name;
    this.crashes = new CrashReports(name, explanation);
    this.threads = new MachineThreads(name, this);
    this.holding = new Holding(this, threads);
    this.lock = lock;
    this.changed = lock.newCondition();
    this.time = time;
    this.timers = new TimerQueue(lock, this);
    this.tasks = new TaskQueue(this);
    this.deadGuest = new DeadGuest(name, lock, this::requestExit);
    timers.onEarlierDeadline(this::deadlineMoved);
  }

  DeadGuest deadGuest() {
    return deadGuest;
  }

  /** Whether the machine ends when no interrupt can wake its guest. Any thread. */
  public void endWhenDead(boolean wanted) {
    deadGuest.ends(wanted);
  }

  /** How often the guest has come to that. Any thread. */
  public long deaths() {
    return deadGuest.times();
  }

  /** The machine's threads. */
  public MachineThreads threads() {
    return threads;
  }

  /** What lets callers have the machine stand while they look at it. */
  public Holding holding() {
    return holding;
  }

  /** The machine's timers. */
  public TimerQueue timers() {
    return timers;
  }

  /**
   * Starts the machine's threads, which stand still at first.
   *
   * @param finalExit completes the exit once no guest code runs, such as by a register dump
   * @param whenEnded told of the exit, with the machine lock held
   */
  public void start(
      List<? extends VcpuRunner> runners,
      UnaryOperator<VmExit> finalExit,
      Consumer<VmExit> whenEnded) {
    lock.lock();
    try {
      atEnd = finalExit;
      onEnd = whenEnded;
      deadGuest.threads(runners.size());
      for (int i = 0; i < runners.size(); i++) {
        vcpus.add(new VcpuThread(i, runners.get(i), this, time, timers, tasks, lock));
      }
      for (VcpuThread vcpu : vcpus) {
        threads.add("vcpu-" + vcpu.index(), vcpu::start);
      }
      if (!(time instanceof VirtualTime)) {
        EventLoop loop = new EventLoop(this, time, timers, tasks, lock);
        eventLoop = loop;
        threads.add("events", loop::start);
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- asked by the machine's own threads ----

  /** Whether a vCPU must leave what it does. Any thread, no lock. */
  boolean stopRequested() {
    return stopRequested;
  }

  /** Whether guest time passes. With the machine lock held. */
  boolean isRunning() {
    return active > 0;
  }

  boolean hasEnded() {
    return mode == Mode.ENDED;
  }

  /** Lets a vCPU's thread stand until it may run; false if it never may again. */
  boolean awaitTurn(VcpuThread vcpu) {
    lock.lock();
    try {
      while (true) {
        if (pendingExit != null || mode == Mode.ENDED || !mayRun()) {
          deactivate(vcpu);
        }
        if (pendingExit != null && active == 0 && mode != Mode.ENDED) {
          finish(pendingExit);
        }
        if (mode == Mode.ENDED) {
          return false;
        }
        if (mayRun()) {
          activate(vcpu);
          return true;
        }
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many instructions the present step still allows. With the machine lock held. */
  long stepLeft() {
    return mode == Mode.STEPPING && time instanceof VirtualTime virtual
        ? Math.max(0, stepTarget - virtual.executed())
        : Long.MAX_VALUE;
  }

  /** The step is done, or can't go on. With the machine lock held. */
  void endStep() {
    if (mode == Mode.STEPPING) {
      change(Mode.PAUSED);
    }
  }

  /** A vCPU has come to where a debugger wants the machine to stand. By a vCPU's thread. */
  void standForDebugger() {
    lock.lock();
    try {
      if (mode == Mode.RUNNING || mode == Mode.STEPPING) {
        change(Mode.PAUSED);
      }
    } finally {
      lock.unlock();
    }
    onDebugStop.run();
  }

  private boolean mayRun() {
    return holds == 0 && pendingExit == null && (mode == Mode.RUNNING || mode == Mode.STEPPING);
  }

  private void activate(VcpuThread vcpu) {
    if (!vcpu.isActive) {
      vcpu.isActive = true;
      if (active++ == 0) {
        runningSince = System.nanoTime();
        time.start();
        wakeEventLoop();
      }
    }
  }

  private void deactivate(VcpuThread vcpu) {
    if (vcpu.isActive) {
      vcpu.isActive = false;
      if (--active == 0) {
        time.stop();
        runningNanos += System.nanoTime() - runningSince;
        changed.signalAll();
        try {
          onClockStopped.run();
        } catch (Throwable e) {
          failed("backend", "the stop of the clock", e);
        }
      }
    }
  }

  private void finish(VmExit pending) {
    VmExit complete = pending;
    try {
      complete = atEnd.apply(pending);
    } catch (Throwable e) {
      crashes.log("cannot describe its end", e);
    }
    exit = complete;
    tasks.clear();
    change(Mode.ENDED);
    wakeEventLoop();
    try {
      onEnd.accept(complete);
    } catch (Throwable e) {
      crashes.log("error after its end", e);
    }
    LOG.info("machine '{}' has ended: {}", name, CrashReports.oneLine(complete));
  }

  /** With the machine lock held: makes every thread look again. */
  private void change(Mode now) {
    mode = now;
    refresh();
  }

  private void refresh() {
    stopRequested = !mayRun();
    if (stopRequested) {
      for (VcpuThread vcpu : vcpus) {
        // A thread that stands here needs no kick, and would be left with a late one.
        if (vcpu.isActive) {
          vcpu.interrupt();
        }
      }
    }
    changed.signalAll();
  }

  private void wakeEventLoop() {
    EventLoop loop = eventLoop;
    if (loop != null) {
      loop.wake();
    }
  }

  private void deadlineMoved() {
    if (time instanceof VirtualTime) {
      vcpus.forEach(VcpuThread::cutShort);
    } else {
      wakeEventLoop();
    }
  }

  // ---- asked by devices ----

  /** Runs a task soon with the machine lock held; dropped once the machine has ended. */
  public void execute(String path, Runnable task) {
    if (mode == Mode.ENDED) {
      return;
    }
    tasks.add(path, task, false);
    wakeForTask();
  }

  /** The same for a task of a device, which {@link TaskQueue#runDevices} does too. */
  public void executeForDevice(String path, Runnable task) {
    if (mode != Mode.ENDED) {
      tasks.add(path, task, true);
      wakeForTask();
    }
  }

  private void wakeForTask() {
    if (time instanceof VirtualTime) {
      vcpus.forEach(VcpuThread::interrupt);
    } else {
      wakeEventLoop();
    }
  }

  /** Ends the machine after the current instruction; the first who asks is heard. */
  public void requestExit(VmExit how) {
    lock.lock();
    try {
      onExitRequest.accept(how);
      if (mode != Mode.ENDED) {
        if (pendingExit == null) {
          pendingExit = how;
        }
        refresh();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void failed(String path, String during, Throwable thrown) {
    requestExit(crashes.of(path, during, thrown));
  }

  // ---- asked by the host ----

  /** What the machine is asked to do. Any thread. */
  public Mode mode() {
    return mode;
  }

  /** How it ended, if it has. Any thread. */
  public Optional<VmExit> exit() {
    return Optional.ofNullable(exit);
  }

  /** Host time in which guest code ran or waited for an interrupt. */
  public Duration running() {
    lock.lock();
    try {
      long now = active > 0 ? System.nanoTime() - runningSince : 0;
      return Duration.ofNanos(runningNanos + now);
    } finally {
      lock.unlock();
    }
  }

  /** Host time of that in which all vCPUs of the first thread were halted. */
  public Duration idle() {
    return Duration.ofNanos(vcpus.isEmpty() ? 0 : vcpus.getFirst().idleNanos());
  }

  /** Registers who hears, with the machine lock held, of each exit that is asked for. */
  public void onExitRequest(Consumer<VmExit> listener) {
    onExitRequest = listener;
  }

  /** What waits to be done with the machine lock held. */
  public TaskQueue tasks() {
    return tasks;
  }

  /** Registers what a vCPU's thread calls, without a lock, when it stands for a debugger. */
  public void onDebugStop(Runnable listener) {
    onDebugStop = listener;
  }

  /** Registers what a vCPU's thread calls, with the machine lock held, when time stands. */
  public void onClockStopped(Runnable listener) {
    onClockStopped = listener;
  }

  /** Pauses; done when this returns. */
  public void pause() {
    threads.refuseOwn("pause");
    lock.lock();
    try {
      requireAlive("pause");
      if (mode != Mode.PAUSED) {
        change(Mode.PAUSED);
      }
      awaitQuiet();
    } finally {
      lock.unlock();
    }
  }

  /** Goes on. */
  public void resume() {
    lock.lock();
    try {
      requireAlive("resume");
      if (mode != Mode.RUNNING) {
        change(Mode.RUNNING);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Runs so many instructions of a paused machine with virtual time; done when this returns. */
  public void step(long instructions) {
    threads.refuseOwn("step");
    if (instructions < 0) {
      throw new IllegalArgumentException("negative number of instructions: " + instructions);
    }
    lock.lock();
    try {
      requireAlive("step");
      if (mode != Mode.PAUSED) {
        throw new IllegalStateException("cannot step: the machine is not paused");
      }
      if (!(time instanceof VirtualTime virtual)) {
        throw new IllegalStateException("cannot step: the machine's time is real");
      }
      awaitQuiet();
      stepTarget = virtual.executed() + instructions;
      change(Mode.STEPPING);
      while (mode == Mode.STEPPING) {
        changed.awaitUninterruptibly();
      }
      if (mode == Mode.PAUSED) {
        awaitQuiet();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends the machine; done when this returns, unless a thread of its own calls. */
  public void stop() {
    requestExit(new VmExit.Stopped());
    if (threads.isOwn()) {
      return;
    }
    lock.lock();
    try {
      while (mode != Mode.ENDED) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the machine and waits until its threads are gone.
   *
   * @return false if they aren't within the time: a device holds one up
   */
  public boolean shutDown(Duration limit) {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(limit);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return end(deadline) && threads.join(deadline);
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

  private boolean end(long deadline) throws InterruptedException {
    // A device that does not return keeps the machine lock too.
    if (!lock.tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
      return false;
    }
    try {
      requestExit(new VmExit.Stopped());
      VmExit pending = pendingExit;
      if (vcpus.isEmpty() && mode != Mode.ENDED && pending != null) {
        finish(pending); // its threads were never started
      }
      long left = deadline - System.nanoTime();
      while (mode != Mode.ENDED && left > 0) {
        left = changed.awaitNanos(left);
      }
      return mode == Mode.ENDED;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the end. */
  public VmExit awaitExit(Duration timeout) {
    threads.refuseOwn("await the end");
    long left = TimeUnit.NANOSECONDS.convert(Objects.requireNonNull(timeout, "timeout"));
    lock.lock();
    try {
      while (true) {
        VmExit how = exit;
        if (how != null) {
          return how;
        }
        if (left <= 0) {
          throw new VmTimeoutException("the end of machine '" + name + "'", timeout);
        }
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new VmException("interrupted while waiting for the end of machine '" + name + "'", e);
    } finally {
      lock.unlock();
    }
  }

  /** Whether no guest code runs within the time; {@link #release} must follow either way. */
  boolean hold(long limitNanos) {
    lock.lock();
    try {
      holds++;
      refresh();
      long left = limitNanos;
      while (active > 0 && left > 0) {
        if (limitNanos == Long.MAX_VALUE) {
          changed.awaitUninterruptibly();
        } else {
          try {
            left = changed.awaitNanos(left);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            break;
          }
        }
      }
      return active == 0;
    } finally {
      lock.unlock();
    }
  }

  /** Takes a {@link #hold} back. */
  void release() {
    lock.lock();
    try {
      holds--;
      refresh();
    } finally {
      lock.unlock();
    }
  }

  private void awaitQuiet() {
    while (active > 0) {
      changed.awaitUninterruptibly();
    }
  }

  /**
   * Refuses what can be asked of a machine only before its end.
   *
   * @throws VmStoppedException if it has ended
   */
  public void requireAlive(String what) {
    VmExit how = exit;
    if (how != null) {
      throw new VmStoppedException(what, how);
    }
  }

  /** Makes every sleeping thread look, for what has changed by a restore. */
  public void nudge() {
    for (VcpuThread vcpu : vcpus) {
      LockSupport.unpark(vcpu.thread());
    }
    wakeEventLoop();
  }
}
