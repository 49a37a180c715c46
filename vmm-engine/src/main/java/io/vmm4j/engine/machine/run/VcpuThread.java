package io.vmm4j.engine.machine.run;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.backend.VcpuRunner;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.clock.TimerQueue;
import io.vmm4j.engine.machine.clock.VirtualTime;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The thread of one vCPU, or of several that take turns. Under virtual time it also fires the
 * timers and runs the tasks, between two instructions, so that the same instructions always meet
 * the same events.
 */
final class VcpuThread implements Runnable {
  /** The guest time that a step skips at most for one HLT. */
  static final long MOST_SKIPPED_NANOS = TimeUnit.MINUTES.toNanos(10);

  private final int index;
  private final VcpuRunner vcpu;
  private final RunControl control;
  private final MachineTime time;
  private final TimerQueue timers;
  private final TaskQueue tasks;
  private final ReentrantLock lock;
  private final Consumer<Throwable> failed;
  private @Nullable Thread thread;
  private volatile boolean inGuest;
  private volatile long idleNanos;

  /** Whether it may be running guest code. Guarded by the machine lock. */
  boolean isActive;

  VcpuThread(
      int index,
      VcpuRunner vcpu,
      RunControl control,
      MachineTime time,
      TimerQueue timers,
      TaskQueue tasks,
      ReentrantLock lock) {
    this.index = index;
    this.vcpu = vcpu;
    this.control = control;
    this.time = time;
    this.timers = timers;
    this.tasks = tasks;
    this.lock = lock;
    this.failed = e -> control.failed("vcpu/" + vcpu.lastVcpu(), "execution", e);
  }

  int index() {
    return index;
  }

  @Nullable Thread thread() {
    return thread;
  }

  /** Host time spent with all of them halted. */
  long idleNanos() {
    return idleNanos;
  }

  Thread start(String name) {
    Thread started = Thread.ofPlatform().name(name).daemon().unstarted(this);
    thread = started;
    // A permit outlives the unpark: a wake between the look at hasWork and the park is not lost.
    vcpu.onWake(() -> LockSupport.unpark(started));
    started.start();
    return started;
  }

  /** Makes it look again, wherever it is. Any thread. */
  void interrupt() {
    vcpu.kick();
    LockSupport.unpark(thread);
  }

  /** Ends the present budget after the current instruction. With the machine lock held. */
  void cutShort() {
    if (inGuest) {
      vcpu.kick();
    }
  }

  @Override
  public void run() {
    boolean goesOn = true;
    while (goesOn) {
      try {
        goesOn = control.awaitTurn(this);
        if (goesOn) {
          turn();
        }
      } catch (Throwable e) {
        inGuest = false;
        MachineThreads.reportForSure(failed, e);
      }
    }
  }

  private void turn() {
    long budget = Long.MAX_VALUE;
    if (time instanceof VirtualTime virtual) {
      budget = prepare(virtual);
      if (budget == 0) {
        return;
      }
    }
    inGuest = true;
    VcpuRunner.StopReason reason = vcpu.run(budget);
    inGuest = false;
    switch (reason) {
      case BUDGET, KICKED -> {
        // The next turn sees why.
      }
      case HALTED -> idle();
      case DEBUG -> control.standForDebugger();
      case SHUTDOWN ->
          control.requestExit(
              new VmExit.Reset(
                  VmExit.Reset.Cause.TRIPLE_FAULT,
                  "triple fault of vcpu/%d%n".formatted(vcpu.lastVcpu())));
    }
  }

  /** Fires what is due and says how many instructions may run until the next event. */
  private long prepare(VirtualTime virtual) {
    lock.lock();
    try {
      if (control.stepLeft() == 0) {
        control.endStep();
        return 0;
      }
      tasks.runAll();
      timers.fireDue(virtual.nanoTime());
      if (control.stopRequested()) {
        return 0;
      }
      // At least one, so that a device that is for ever due can't stop the guest.
      long untilTimer = Math.max(1, virtual.instructionsUntil(timers.nextDeadline()));
      return Math.min(untilTimer, control.stepLeft());
    } finally {
      lock.unlock();
    }
  }

  private void idle() {
    long began = System.nanoTime();
    long halted = time.nanoTime();
    boolean dead = false;
    while (isIdle()) {
      if (!dead && !vcpu.takesInterrupts()) {
        dead = true;
        control.deadGuest().halted(index);
      }
      // Waiting for a lock uses up a wake, so after that it looks again.
      if (isIdle()
          && (!(time instanceof VirtualTime virtual) || (!skip(virtual, halted) && isIdle()))) {
        LockSupport.park(this);
      }
    }
    if (dead) {
      control.deadGuest().woken(index);
    }
    idleNanos += System.nanoTime() - began;
  }

  private boolean isIdle() {
    return !control.stopRequested() && !vcpu.hasWork();
  }

  /**
   * Skips to the next event; false if there is none but the host's.
   *
   * @param halted the guest time at which the HLT began
   */
  private boolean skip(VirtualTime virtual, long halted) {
    lock.lock();
    try {
      if (control.stepLeft() == 0) {
        control.endStep();
        return true;
      }
      if (!tasks.isEmpty()) {
        tasks.runAll();
        return true;
      }
      if (virtual.nanoTime() - halted >= MOST_SKIPPED_NANOS) {
        control.endStep();
      }
      long deadline = timers.nextDeadline();
      // With interrupts disabled no timer can wake it, however much time is skipped.
      if (deadline != TimerQueue.NEVER && vcpu.takesInterrupts() && !control.stopRequested()) {
        virtual.skipTo(deadline);
        timers.fireDue(virtual.nanoTime());
        return true;
      }
      // A step that nothing inside the machine can complete ends here.
      control.endStep();
      return false;
    } finally {
      lock.unlock();
    }
  }
}
