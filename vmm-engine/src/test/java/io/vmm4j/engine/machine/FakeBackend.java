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
import io.vmm4j.api.backend.VmBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A backend whose vCPU executes a script of Java: one call is one instruction. RIP counts them, and
 * RAX to R15 are the script's to use.
 */
final class FakeBackend implements VmBackend {

  /** What an instruction does to a vCPU. */
  enum Outcome {
    NEXT,
    HALT,
    TRIPLE_FAULT
  }

  /** An instruction: any Java. */
  @FunctionalInterface
  interface Script {
    Outcome execute(BackendHost host, FakeVcpu vcpu);
  }

  private final Script script;
  final List<FakeMachine> machines = new ArrayList<>();

  FakeBackend(Script script) {
    this.script = script;
  }

  /** The machine opened last. */
  FakeMachine machine() {
    return machines.getLast();
  }

  @Override
  public String name() {
    return "fake";
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
    FakeMachine machine = new FakeMachine(new FakeVcpu(host, script));
    machines.add(machine);
    return machine;
  }

  /** Registers after power-on. */
  static CpuState resetState() {
    SegmentState data = new SegmentState(0, 0, 0xFFFF, 0x93);
    TableState table = new TableState(0, 0xFFFF);
    return new CpuState(
        new long[16],
        0,
        2,
        data,
        data,
        data,
        data,
        data,
        data,
        data,
        data,
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
        ActivityState.RUNNING,
        new LocalApicState(0, new int[64], -1, false, false, 0),
        0);
  }

  static final class FakeMachine implements BackendMachine {
    final FakeVcpu vcpu;
    final List<String> written = new ArrayList<>();
    int mapChanges;
    boolean closed;

    FakeMachine(FakeVcpu vcpu) {
      this.vcpu = vcpu;
    }

    @Override
    public Vcpu vcpu(int index) {
      return vcpu;
    }

    @Override
    public List<FakeVcpu> runners() {
      return List.of(vcpu);
    }

    @Override
    public void memoryMapChanged() {
      mapChanges++;
    }

    @Override
    public synchronized void memoryWritten(long offset, long length) {
      written.add(offset + "+" + length);
    }

    @Override
    public void harvestWrites() {
      // Scripts name each write.
    }

    @Override
    public void sendMessage(long address, int data) {
      vcpu.interrupt(data & 0xFF);
    }

    @Override
    public void setExternalInterrupt(boolean asserted) {
      vcpu.pin = asserted;
      if (asserted) {
        vcpu.wake.run();
      }
    }

    @Override
    public void nonMaskableInterrupt() {
      vcpu.interrupt(2);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  /** A processor without an instruction set. */
  static final class FakeVcpu implements Vcpu {
    private final BackendHost host;
    private final Script script;
    private final AtomicBoolean kicked = new AtomicBoolean();
    private Runnable wake = () -> {};
    private volatile boolean pin;
    private volatile int pendingVector = -1;
    private volatile long executed;
    private boolean halted;
    long[] gpr = new long[16];
    long rip;

    FakeVcpu(BackendHost host, Script script) {
      this.host = host;
      this.script = script;
    }

    /** A message arrives. */
    void interrupt(int vector) {
      pendingVector = vector;
      wake.run();
    }

    @Override
    public StopReason run(long instructionBudget) {
      for (long left = instructionBudget; left > 0; left--) {
        if (kicked.getAndSet(false)) {
          return StopReason.KICKED;
        }
        if (hasWork()) {
          if (pin) {
            gpr[15] = gpr[15] * 31 + host.acknowledgeExternalInterrupt();
          } else {
            gpr[15] = gpr[15] * 31 + pendingVector;
            pendingVector = -1;
          }
          gpr[14]++;
          halted = false;
        }
        if (halted) {
          return StopReason.HALTED;
        }
        host.instructionsExecuted(1);
        executed++;
        rip++;
        switch (script.execute(host, this)) {
          case NEXT -> {}
          case HALT -> halted = true;
          case TRIPLE_FAULT -> {
            return StopReason.SHUTDOWN;
          }
        }
      }
      return StopReason.BUDGET;
    }

    @Override
    public void kick() {
      kicked.set(true);
    }

    @Override
    public boolean hasWork() {
      return pin || pendingVector >= 0;
    }

    @Override
    public boolean takesInterrupts() {
      return true;
    }

    @Override
    public void onWake(Runnable listener) {
      wake = listener;
    }

    @Override
    public int lastVcpu() {
      return 0;
    }

    @Override
    public long instructionsExecuted() {
      return executed;
    }

    @Override
    public CpuState save() {
      CpuState r = resetState();
      return new CpuState(
          gpr.clone(),
          rip,
          r.rflags(),
          r.es(),
          r.cs(),
          r.ss(),
          r.ds(),
          r.fs(),
          r.gs(),
          r.ldtr(),
          r.tr(),
          r.gdtr(),
          r.idtr(),
          r.cr0(),
          pendingVector,
          r.cr3(),
          r.cr4(),
          r.dr(),
          r.xcr0(),
          r.xsave(),
          r.msrs(),
          r.events(),
          halted ? ActivityState.HALTED : ActivityState.RUNNING,
          new LocalApicState(0, new int[64], -1, pin, false, 0),
          0);
    }

    @Override
    public void restore(CpuState state) {
      gpr = state.gpr().clone();
      rip = state.rip();
      pendingVector = (int) state.cr2();
      halted = state.activity() == ActivityState.HALTED;
      pin = state.apic().externalInterruptPin();
    }
  }
}
