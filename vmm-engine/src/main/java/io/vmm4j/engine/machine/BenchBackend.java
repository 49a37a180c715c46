package io.vmm4j.engine.machine;

import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.PendingEvents;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.backend.VcpuRunner;
import io.vmm4j.api.backend.VmBackend;
import java.util.List;

/**
 * The backend of a {@link DeviceBench}: its processors never run, and what reaches them is told to
 * the bench.
 */
final class BenchBackend implements VmBackend {

  /** Hears of what reaches the processors. */
  interface Pins {
    /** A message. */
    void message(long address, int data);

    /** The level of INTR. */
    void externalInterrupt(boolean asserted);

    /** A pulse of NMI. */
    void nonMaskableInterrupt();
  }

  private final Pins pins;

  BenchBackend(Pins pins) {
    this.pins = pins;
  }

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public int preference() {
    return 0;
  }

  @Override
  public BackendProbe probe() {
    return new BackendProbe(true, "always there");
  }

  @Override
  public BackendMachine open(BackendHost host) {
    return new Processors();
  }

  /** A processor that does nothing, as it is saved. */
  static CpuState standing() {
    SegmentState segment = new SegmentState(0, 0, 0xFFFF, 0x93);
    TableState table = new TableState(0, 0xFFFF);
    return new CpuState(
        new long[16],
        0,
        2,
        segment,
        segment,
        segment,
        segment,
        segment,
        segment,
        segment,
        segment,
        table,
        table,
        0x10,
        0,
        0,
        0,
        new long[6],
        1,
        new byte[576],
        List.of(),
        PendingEvents.none(),
        ActivityState.HALTED,
        new LocalApicState(0, new int[64], -1, false, false, 0),
        0);
  }

  private static final class Standing implements Vcpu {
    @Override
    public CpuState save() {
      return standing();
    }

    @Override
    public void restore(CpuState state) {
      // It does nothing, whatever its state.
    }

    @Override
    public long instructionsExecuted() {
      return 0;
    }

    @Override
    public StopReason run(long instructionBudget) {
      return StopReason.HALTED;
    }

    @Override
    public void kick() {
      // It does not run.
    }

    @Override
    public boolean hasWork() {
      return false;
    }

    @Override
    public boolean takesInterrupts() {
      return true;
    }

    @Override
    public void onWake(Runnable listener) {
      // It does not sleep.
    }

    @Override
    public int lastVcpu() {
      return 0;
    }
  }

  private final class Processors implements BackendMachine {
    private final Vcpu vcpu = new Standing();

    @Override
    public Vcpu vcpu(int index) {
      return vcpu;
    }

    @Override
    public List<? extends VcpuRunner> runners() {
      return List.of();
    }

    @Override
    public void memoryMapChanged() {
      // Nobody looks.
    }

    @Override
    public void memoryWritten(long offset, long length) {
      // Nobody executes it.
    }

    @Override
    public void harvestWrites() {
      // Nobody writes.
    }

    @Override
    public void sendMessage(long address, int data) {
      pins.message(address, data);
    }

    @Override
    public void setExternalInterrupt(boolean asserted) {
      pins.externalInterrupt(asserted);
    }

    @Override
    public void nonMaskableInterrupt() {
      pins.nonMaskableInterrupt();
    }

    @Override
    public void close() {
      // There is nothing to release.
    }
  }
}
