package io.vmm4j.kvm;

import io.vmm4j.api.VmException;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MemoryFaultException;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.backend.VcpuDebug;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One virtual processor of KVM, and the loop that runs it.
 *
 * <p>Who wants it to leave the guest first says why, then has {@link RunPage#exitAtOnce} set, then
 * sends the {@link KickSignal}; the loop clears the former before it looks at the reasons. So
 * nothing is missed: KVM_RUN returns at once if the reason came after the look.
 */
final class KvmVcpu implements Vcpu {
  /** How often the guest is approached, of which a short periodic timer never lets be the last. */
  private static final int MOST_TRIES = 3;

  private final KvmMachine machine;
  private final BackendHost host;
  private final int index;
  private final int fd;
  private final RunPage page;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment runState = Libc.runState(arena);
  private final ArchitecturalState state;
  private final GuestMsrs msrs;
  private final KvmDebug debug;

  private final AtomicBoolean kicked = new AtomicBoolean();
  private final Object threadLock = new Object();

  /** The thread that may be in the guest, as pthread_kill takes it, or 0. Under its lock. */
  private long thread;

  private volatile boolean inGuest;
  private volatile boolean externalInterrupt;
  private volatile boolean nmiRequested;

  /** The last exit is completed by the next entry. */
  private boolean accessPending;

  KvmVcpu(KvmMachine machine, BackendHost host, int index, int vmFd, int mappingBytes) {
    this.machine = machine;
    this.host = host;
    this.index = index;
    this.fd = Libc.ioctl(vmFd, Ioctl.KVM_CREATE_VCPU, index);
    try {
      this.page = new RunPage(fd, mappingBytes);
    } catch (Throwable e) {
      Libc.close(fd);
      throw e;
    }
    List<CpuidLeaf> cpuid = cpuid();
    MsrAccess access = new MsrAccess(fd);
    this.msrs = new GuestMsrs(access, cpuid);
    this.state = new ArchitecturalState(fd, index, host, access, msrs);
    this.debug = new KvmDebug(fd, index, machine.breakpoints());
    try {
      KvmDevice.setCpuid(fd, cpuid);
      Libc.ioctl(fd, Ioctl.KVM_SET_TSC_KHZ, (host.tscFrequencyHz() + 500) / 1000);
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /** The machine's leaves with what depends on the vCPU. */
  private List<CpuidLeaf> cpuid() {
    List<CpuidLeaf> own = new ArrayList<>();
    for (CpuidLeaf leaf : host.cpuid()) {
      own.add(
          switch (leaf.leaf()) {
            case 1 ->
                new CpuidLeaf(
                    1,
                    leaf.subleaf(),
                    leaf.eax(),
                    leaf.ebx() & 0xFFFFFF | index << 24,
                    leaf.ecx(),
                    leaf.edx());
            case 0xB ->
                new CpuidLeaf(0xB, leaf.subleaf(), leaf.eax(), leaf.ebx(), leaf.ecx(), index);
            default -> leaf;
          });
    }
    return own;
  }

  void close() {
    page.close();
    Libc.close(fd);
    arena.close();
  }

  // ---- running ----

  @Override
  public StopReason run(long instructionBudget) {
    if (instructionBudget != Long.MAX_VALUE) {
      throw new IllegalArgumentException("KVM can't count instructions");
    }
    machine.thaw();
    state.forgetTimer();
    beginOnThread();
    try {
      while (true) {
        StopReason reason = turn();
        if (reason != null) {
          return settle(reason);
        }
      }
    } finally {
      endOnThread();
    }
  }

  private void beginOnThread() {
    KickSignal.unblock();
    synchronized (threadLock) {
      thread = Libc.currentThread();
    }
  }

  private void endOnThread() {
    synchronized (threadLock) {
      thread = 0;
    }
  }

  /** Enters the guest once and does what it asks for; null to go on. */
  private @Nullable StopReason turn() {
    if (state.isShutDown()) {
      return StopReason.SHUTDOWN;
    }
    page.exitAtOnce(false);
    boolean leave = kicked.get();
    if (leave && !accessPending) {
      kicked.set(false);
      return StopReason.KICKED;
    }
    if (debug.standsStill() && !accessPending) {
      return StopReason.HALTED;
    }
    if (!leave && debug.standsAtInt3()) {
      return machine.alone(this, this::passInt3);
    }
    if (leave || !raiseInterrupts()) {
      page.exitAtOnce(true); // the entry completes the access and no more
    } else {
      debug.prepare();
    }
    return enterGuest() ? handleExit() : null;
  }

  /**
   * Executes the instruction of which a software breakpoint has taken the place, or a part of it.
   */
  private @Nullable StopReason passInt3() {
    debug.prepareToPass();
    while (true) {
      page.exitAtOnce(false);
      if (kicked.get()) {
        if (!accessPending) {
          return null; // the next turn says so
        }
        page.exitAtOnce(true);
      }
      if (enterGuest()) {
        StopReason reason = handleExit();
        if (reason != null || page.exitReason() == RunPage.EXIT_DEBUG) {
          return reason;
        }
      }
    }
  }

  /** Enters the guest once; whether it was left for something that is to be done. */
  private boolean enterGuest() {
    int result = runGuest();
    accessPending = false;
    if (result == -Libc.EINTR || result == -Libc.EAGAIN) {
      return false;
    }
    if (result < 0) {
      KvmException refused = new KvmException(Ioctl.KVM_RUN.name(), -result);
      // So ends an access to memory that the host can't give (virt/kvm/kvm_main.c, hva_to_pfn).
      throw result == -Libc.EFAULT
          ? new MemoryFaultException(String.valueOf(refused.getMessage()), refused)
          : refused;
    }
    return true;
  }

  /**
   * Lets KVM do what it does only on the way into the guest, and without entering it: the interrupt
   * of a timer that has come to zero is requested, the end of an interrupt told. Else neither would
   * be in the state that is saved.
   *
   * <p>On Intel's processors the timer of a vCPU that executes code is the VMX preemption timer,
   * which only acts in the guest. For a vCPU that is halted the kernel has one of its own instead,
   * so a timer that has run out makes it look like one.
   */
  private StopReason settle(StopReason reason) {
    if (state.isShutDown()) {
      return reason;
    }
    page.requestInterruptWindow(false); // it would be told of first, for ever
    KickSignal.await(fd);
    try {
      state.lookAtTimer();
      boolean again = true;
      for (int tries = 0; again && tries < MOST_TRIES; tries++) {
        if (state.timerHasRunOut()) {
          // The kernel's own timer may be late, but not later than one that is started now.
          Libc.sleepShortly();
        }
        approachGuest();
        if (state.timerHasRunOut() && !state.isShutDown()) {
          state.whileHalted(this::approachGuest);
        }
        if (state.isShutDown()) {
          return StopReason.SHUTDOWN;
        }
        again = state.lookAtTimer();
      }
    } finally {
      KickSignal.release(fd);
    }
    return reason;
  }

  /** While the kick signal waits; the vCPU may shut down. */
  private void approachGuest() {
    while (!state.isShutDown()) {
      page.exitAtOnce(false);
      if (enterGuest()) {
        handleExit();
      } else if (!page.isExitAtOnce()) {
        return; // or it has returned for that, which whoever runs next looks into
      }
    }
  }

  private int runGuest() {
    while (true) {
      inGuest = true;
      if (machine.mayEnter(this)) {
        int result = Libc.run(fd, runState);
        inGuest = false;
        return result;
      }
      inGuest = false;
      machine.followMap();
    }
  }

  private @Nullable StopReason handleExit() {
    switch (page.exitReason()) {
      case RunPage.EXIT_IO -> portAccess();
      case RunPage.EXIT_MMIO -> mmioAccess();
      case RunPage.EXIT_RDMSR -> {
        accessPending = true;
        msrs.read(page.msrIndex()).ifPresentOrElse(page::msrValue, page::msrFault);
      }
      case RunPage.EXIT_WRMSR -> {
        accessPending = true;
        if (msrs.write(page.msrIndex(), page.msrValue())) {
          page.msrValue(page.msrValue());
        } else {
          page.msrFault();
        }
      }
      case RunPage.EXIT_IOAPIC_EOI -> host.endOfInterrupt(page.endedVector());
      case RunPage.EXIT_IRQ_WINDOW_OPEN, RunPage.EXIT_INTR, RunPage.EXIT_HLT -> {
        // The next turn sees why.
      }
      case RunPage.EXIT_DEBUG -> {
        return debug.stopped(page) ? StopReason.DEBUG : null;
      }
      case RunPage.EXIT_SHUTDOWN -> {
        state.shutDown();
        return StopReason.SHUTDOWN;
      }
      default -> throw new VmException("vcpu/%d: %s".formatted(index, page.describeFailure()));
    }
    return null;
  }

  private void portAccess() {
    accessPending = true;
    int port = page.ioPort();
    int size = page.ioSize();
    int count = page.ioCount();
    if (page.ioIsOut()) {
      for (int i = 0; i < count; i++) {
        host.writePort(port, size, page.ioValue(i));
      }
    } else {
      for (int i = 0; i < count; i++) {
        page.ioValue(i, host.readPort(port, size));
      }
    }
  }

  /** Of 1 to 8 bytes: the kernel cuts an access where pages meet, so 3, 5, 6 and 7 are among it. */
  private void mmioAccess() {
    accessPending = true;
    long address = page.mmioAddress();
    int length = page.mmioLength();
    boolean write = page.mmioIsWrite();
    long value = write ? page.mmioValue() : 0;
    for (int done = 0; done < length; ) {
      int piece = Integer.highestOneBit(length - done);
      if (write) {
        host.writeMmio(address + done, piece, value >>> 8 * done);
      } else {
        long part = host.readMmio(address + done, piece);
        value |= (piece == 8 ? part : part & (1L << 8 * piece) - 1) << 8 * done;
      }
      done += piece;
    }
    if (!write) {
      page.mmioValue(value);
    }
  }

  // ---- interrupts that are not the local APIC's ----

  /**
   * NMI and the INTR pin.
   *
   * @return false if the access under way has to be completed first
   */
  private boolean raiseInterrupts() {
    if (nmiRequested) {
      nmiRequested = false;
      if (state.takesNmi()) {
        Libc.ioctl(fd, Ioctl.KVM_NMI, 0);
      }
    }
    if (!externalInterrupt) {
      page.requestInterruptWindow(false);
      return true;
    }
    if (accessPending) {
      return false; // whether it can be taken is only known after it
    }
    boolean ready = page.isReadyForInterrupt();
    if (ready) {
      state.injectInterrupt(host.acknowledgeExternalInterrupt());
    }
    // More may wait behind it; and with none, the window is closed again at the next turn.
    page.requestInterruptWindow(true);
    return true;
  }

  /** The INTR pin; with the machine lock held. */
  void setExternalInterrupt(boolean asserted) {
    externalInterrupt = asserted;
    if (asserted) {
      attention();
    }
  }

  /** Pulses the NMI pin. */
  void requestNmi() {
    nmiRequested = true;
    attention();
  }

  /** Makes the loop look again. */
  private void attention() {
    page.exitAtOnce(true);
    if (inGuest) {
      synchronized (threadLock) {
        if (thread != 0) {
          Libc.signalThread(thread, KickSignal.NUMBER);
        }
      }
    }
  }

  /** Returns once the vCPU is not in the guest while it may not be. */
  void fetchFromGuest() {
    while (inGuest && !machine.mayEnter(this)) {
      attention();
      Thread.onSpinWait();
      Thread.yield();
    }
  }

  @Override
  public void kick() {
    kicked.set(true);
    attention();
  }

  @Override
  public boolean hasWork() {
    return !debug.standsStill(); // a halted vCPU waits in the kernel
  }

  @Override
  public boolean takesInterrupts() {
    return !debug.standsStill();
  }

  @Override
  public void onWake(Runnable listener) {
    // It never reports that it halts.
  }

  @Override
  public int lastVcpu() {
    return index;
  }

  @Override
  public long instructionsExecuted() {
    return -1;
  }

  @Override
  public Optional<VcpuDebug> debug() {
    return Optional.of(debug);
  }

  OptionalLong translate(long linearAddress) {
    return state.isStarted() ? debug.translate(linearAddress) : OptionalLong.empty();
  }

  // ---- state ----

  TimeStampCounter counter() {
    return state.counter();
  }

  void thaw(long hostTicks) {
    state.thaw(hostTicks);
  }

  void freeze(long hostTicks) {
    state.freeze(hostTicks);
  }

  @Override
  public CpuState save() {
    machine.freeze();
    return state.save(externalInterrupt);
  }

  @Override
  public void restore(CpuState saved) {
    machine.freeze();
    externalInterrupt = saved.apic().externalInterruptPin();
    nmiRequested = false;
    accessPending = false;
    page.forgetReadiness();
    state.restore(saved);
    machine.noteLevelTriggered(saved.apic());
    if (saved.events().initPending()) {
      machine.sendMessage(ApicMessages.address(index), ApicMessages.of(ApicMessages.INIT, 0));
    }
    if (saved.events().startupVector() >= 0) {
      int vector = saved.events().startupVector() & 0xFF;
      machine.sendMessage(
          ApicMessages.address(index), ApicMessages.of(ApicMessages.STARTUP, vector));
    }
  }
}
