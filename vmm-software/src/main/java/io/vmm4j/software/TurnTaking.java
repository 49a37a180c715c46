package io.vmm4j.software;

import io.vmm4j.api.backend.VcpuRunner;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.clock.VmClock;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Runs the vCPUs of a machine in turn on one thread.
 *
 * <p>Time is cut into turns of {@link #TURN_INSTRUCTIONS}, which belong to the vCPUs one after the
 * other. In each, the first vCPU that can run, from the turn's owner on, runs. Under virtual time
 * an instruction takes a nanosecond of the machine's clock, and turns are counted on that clock: so
 * who runs follows from the machine's state alone, a snapshot has it without a field for it, and a
 * restored machine goes on as the one that was saved. Hence also the rule that whenever a vCPU is
 * woken the choice is made anew, before the next instruction. Under real time turns are counted on
 * the instructions executed here.
 */
final class TurnTaking implements VcpuRunner {
  /**
   * Long enough that the change of vCPUs costs nothing that can be measured, and short enough that
   * who waits in a loop for the others, as for a TLB shootdown, does not wait long: 0.1 ms.
   */
  static final long TURN_INSTRUCTIONS = 10_000;

  private final List<SoftwareVcpu> vcpus;
  private final VmClock clock;
  private final AtomicBoolean kicked = new AtomicBoolean();
  private volatile Runnable listener = () -> {};
  private volatile @Nullable SoftwareVcpu running;
  private volatile int last;
  private long executed;

  TurnTaking(List<SoftwareVcpu> vcpus, VmClock clock) {
    this.vcpus = List.copyOf(vcpus);
    this.clock = clock;
    for (SoftwareVcpu vcpu : vcpus) {
      vcpu.onWake(() -> woken(vcpu));
    }
  }

  @Override
  public StopReason run(long instructionBudget) {
    long left = instructionBudget;
    try {
      while (!kicked.getAndSet(false)) {
        long position = position();
        SoftwareVcpu next = choose(position);
        if (next == null) {
          return StopReason.HALTED;
        }
        if (left == 0) {
          return StopReason.BUDGET;
        }
        running = next;
        last = next.lastVcpu();
        // A kick that saw no vCPU running here is seen now.
        if (kicked.get()) {
          continue;
        }
        long before = next.instructionsExecuted();
        long turn = TURN_INSTRUCTIONS - Math.floorMod(position, TURN_INSTRUCTIONS);
        StopReason reason = next.run(Math.min(left, turn));
        running = null;
        long count = next.instructionsExecuted() - before;
        executed += count;
        left -= count;
        if (reason == StopReason.SHUTDOWN || reason == StopReason.DEBUG) {
          return reason;
        }
      }
      return StopReason.KICKED;
    } finally {
      running = null;
    }
  }

  private long position() {
    return clock.mode() == ClockMode.VIRTUAL ? clock.nanoTime() : executed;
  }

  private @Nullable SoftwareVcpu choose(long position) {
    int count = vcpus.size();
    int owner = (int) Math.floorMod(Math.floorDiv(position, TURN_INSTRUCTIONS), (long) count);
    for (int i = 0; i < count; i++) {
      SoftwareVcpu vcpu = vcpus.get((owner + i) % count);
      if (vcpu.isRunnable()) {
        return vcpu;
      }
    }
    return null;
  }

  /** An event has arrived at a vCPU: if another one runs, it may be the other's turn now. */
  private void woken(SoftwareVcpu vcpu) {
    SoftwareVcpu now = running;
    if (now != null && now != vcpu) {
      now.kick();
    }
    listener.run();
  }

  @Override
  public void kick() {
    kicked.set(true);
    SoftwareVcpu now = running;
    if (now != null) {
      now.kick();
    }
  }

  @Override
  public boolean hasWork() {
    return kicked.get() || choose(0) != null;
  }

  @Override
  public boolean takesInterrupts() {
    return vcpus.stream().anyMatch(SoftwareVcpu::takesInterrupts);
  }

  @Override
  public void onWake(Runnable newListener) {
    listener = newListener;
  }

  @Override
  public int lastVcpu() {
    return last;
  }
}
