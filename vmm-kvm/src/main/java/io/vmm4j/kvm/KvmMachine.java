package io.vmm4j.kvm;

import io.vmm4j.api.backend.BackendDoorbell;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.backend.VcpuRunner;
import io.vmm4j.api.device.InterruptSignal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One machine of KVM: its descriptors, memory slots, interrupt routes and vCPUs.
 *
 * <p><b>The memory map.</b> After a change no vCPU runs on the old one: those that are in the guest
 * are fetched, and whoever enters next puts the slots in order first ({@link #followMap}).
 *
 * <p><b>The counters.</b> KVM's time-stamp counters and local APIC timers don't stop with the
 * machine's clock. So they are <em>frozen</em> when the clock stops: the counters are read, the
 * timers stopped and what they had left is kept; and put back when a vCPU runs again.
 */
final class KvmMachine implements BackendMachine {
  /** Below the firmware at the end of 4 GiB, where no device has its place. Used on Intel only. */
  private static final long IDENTITY_MAP = 0xFEFF_C000L;

  private static final int PAGE = 4096;
  private static final int MSR_EXIT_FILTERED = 1 << 2;
  private static final int X2APIC_32_BIT_IDS = 1;
  private static final int X2APIC_NO_BROADCAST_QUIRK = 1 << 1;

  /**
   * Quirks to go without: LINT0 as a BIOS leaves it after reset (1 << 0), an OUT to port 0x7E that
   * is over before it is done (1 << 3), MWAIT in MISC_ENABLE (1 << 4), VMCALL patched in guest
   * memory (1 << 5), MWAIT as a NOP where CPUID lacks it (1 << 6).
   */
  private static final long UNWANTED_QUIRKS = 0b111_1001;

  private final int vmFd;
  private final BackendHost host;
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private final MemorySlots slots;
  private final InterruptRoutes routes;
  private final KvmSignals signals;
  private final KvmDoorbells doorbells;
  private final SoftwareBreakpoints breakpoints;
  private final Object mapping = new Object();
  private final AtomicInteger mapChanges = new AtomicInteger(1);
  private volatile int mapFollowed;
  private volatile @Nullable KvmVcpu alone;
  private volatile boolean frozen = true;
  private volatile boolean closed;

  private KvmMachine(int vmFd, BackendHost host) {
    this.vmFd = vmFd;
    this.host = host;
    this.slots = new MemorySlots(vmFd, host);
    this.routes = new InterruptRoutes(vmFd);
    this.signals = new KvmSignals(vmFd, routes);
    this.doorbells = new KvmDoorbells(vmFd, host);
    this.breakpoints = new SoftwareBreakpoints(host, this::translate);
  }

  /** Makes a machine; if that fails, nothing is left behind. */
  static KvmMachine create(KvmDevice device, BackendHost host) {
    KickSignal.install();
    KvmMachine machine = new KvmMachine(device.createVm(), host);
    try {
      machine.setUp(device);
      return machine;
    } catch (Throwable e) {
      machine.close();
      throw e;
    }
  }

  private void setUp(KvmDevice device) {
    try (Arena arena = Arena.ofConfined()) {
      Libc.ioctl(
          vmFd,
          Ioctl.KVM_SET_IDENTITY_MAP_ADDR,
          arena.allocateFrom(ValueLayout.JAVA_LONG, IDENTITY_MAP));
    }
    Libc.ioctl(vmFd, Ioctl.KVM_SET_TSS_ADDR, IDENTITY_MAP + PAGE);
    enable(Capability.KVM_CAP_SPLIT_IRQCHIP, InterruptRoutes.PINS);
    enable(Capability.KVM_CAP_X2APIC_API, X2APIC_32_BIT_IDS | X2APIC_NO_BROADCAST_QUIRK);
    enable(Capability.KVM_CAP_EXCEPTION_PAYLOAD, 1);
    enable(Capability.KVM_CAP_X86_USER_SPACE_MSR, MSR_EXIT_FILTERED);
    int quirks = device.check(Capability.KVM_CAP_DISABLE_QUIRKS2);
    if (quirks > 0) {
      enable(Capability.KVM_CAP_DISABLE_QUIRKS2, quirks & UNWANTED_QUIRKS);
    }
    GuestMsrs.filter(vmFd);
    int mappingBytes = device.vcpuMappingBytes();
    for (int i = 0; i < host.cpus(); i++) {
      vcpus.add(new KvmVcpu(this, host, i, vmFd, mappingBytes));
    }
  }

  private void enable(Capability capability, long argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cap = arena.allocate(104, 8);
      cap.set(ValueLayout.JAVA_INT, 0, capability.number());
      cap.set(ValueLayout.JAVA_LONG, 8, argument);
      int result = Libc.tryIoctl(vmFd, Ioctl.KVM_ENABLE_CAP, cap.address());
      if (result < 0) {
        throw new KvmException("KVM_ENABLE_CAP of " + capability, -result);
      }
    }
  }

  @Override
  public Vcpu vcpu(int index) {
    return vcpus.get(index);
  }

  @Override
  public List<? extends VcpuRunner> runners() {
    return vcpus;
  }

  // ---- memory ----

  @Override
  public void memoryMapChanged() {
    mapChanges.incrementAndGet();
    fetchAll();
  }

  /** Returns once no vCPU is in the guest on a map that is out of date. */
  private void fetchAll() {
    // Either a vCPU sees the change when it enters, or it is seen in the guest here.
    for (KvmVcpu vcpu : vcpus) {
      vcpu.fetchFromGuest();
    }
  }

  /** Whether a vCPU that has said that it is in the guest may enter. */
  boolean mayEnter(KvmVcpu vcpu) {
    KvmVcpu only = alone;
    return mapFollowed == mapChanges.get() && (only == null || only == vcpu);
  }

  /**
   * Puts the slots in order, and waits while another vCPU is {@link #alone}. By a vCPU's thread
   * that is not in the guest.
   */
  void followMap() {
    synchronized (mapping) {
      int change = mapChanges.get(); // before the look: what comes meanwhile is another change
      if (mapFollowed != change) {
        fetchAll(); // slots go and come one by one, which nobody may see
        slots.follow();
        mapFollowed = change;
      }
    }
  }

  @Override
  public void memoryWritten(long offset, long length) {
    // The processor sees what is written.
  }

  @Override
  public boolean releasePages(long offset, long length, boolean shared) {
    return Libc.releasePages(host.memory().asSlice(offset, length), shared);
  }

  @Override
  public void harvestWrites() {
    synchronized (mapping) {
      slots.harvest();
    }
  }

  // ---- breakpoints ----

  SoftwareBreakpoints breakpoints() {
    return breakpoints;
  }

  private OptionalLong translate(long linearAddress) {
    for (KvmVcpu vcpu : vcpus) {
      OptionalLong physical = vcpu.translate(linearAddress);
      if (physical.isPresent()) {
        return physical;
      }
    }
    return OptionalLong.empty();
  }

  /**
   * Does something while no other vCPU is in the guest and no software breakpoint is in its memory.
   * By the vCPU's thread; it must not wait for what another vCPU does.
   */
  <T extends @Nullable Object> T alone(KvmVcpu vcpu, Supplier<T> action) {
    synchronized (mapping) {
      alone = vcpu;
      try {
        fetchAll();
        breakpoints.remove();
        try {
          return action.get();
        } finally {
          breakpoints.insert();
        }
      } finally {
        alone = null;
      }
    }
  }

  // ---- interrupts ----

  @Override
  public void sendMessage(long address, int data) {
    routes.note(address, data);
    ApicMessages.send(vmFd, address, data);
  }

  @Override
  public Optional<InterruptSignal> interruptSignal() {
    return signals.create();
  }

  @Override
  public long signalMessages() {
    return signals.sent();
  }

  @Override
  public Optional<BackendDoorbell> doorbell(BackendDoorbell.Match match, Runnable rung) {
    // A string of OUTs that begins with a store for an ioeventfd and goes on with others loses
    // those in the kernel. Without a value all of them are for it.
    return match.port() && match.hasValue() ? Optional.empty() : doorbells.create(match, rung);
  }

  /** Puts the messages of level-triggered interrupts that a local APIC holds among the routes. */
  void noteLevelTriggered(LocalApicState apic) {
    for (int vector = 16; vector < 256; vector++) {
      int word = vector / 32;
      int bit = 1 << vector % 32;
      int[] registers = apic.registers();
      boolean held = ((registers[0x10 + word] | registers[0x20 + word]) & bit) != 0;
      if (held && (registers[0x18 + word] & bit) != 0) {
        routes.note(ApicMessages.address(apic.id()), ApicMessages.levelTriggered(vector));
      }
    }
  }

  @Override
  public void setExternalInterrupt(boolean asserted) {
    vcpus.getFirst().setExternalInterrupt(asserted);
  }

  @Override
  public void nonMaskableInterrupt() {
    vcpus.getFirst().requestNmi();
  }

  // ---- time ----

  /** Sees to it that counters and timers run, and breakpoints are there. By a vCPU's thread. */
  void thaw() {
    if (frozen) {
      host.locked(() -> {
        if (frozen) {
          long hostTicks = vcpus.getFirst().counter().hostTicks();
          vcpus.forEach(vcpu -> vcpu.thaw(hostTicks));
          signals.thaw();
          breakpoints.lookUpAndInsert();
          frozen = false;
        }
      });
    }
  }

  @Override
  public void clockStopped() {
    doorbells.answer(); // while its interrupts still reach the local APICs
    freeze();
  }

  /** Sees to it that counters and timers stand, and memory is the guest's. While no vCPU runs. */
  void freeze() {
    host.locked(() -> {
      if (!frozen && !closed) {
        breakpoints.remove();
        signals.freeze();
        long hostTicks = vcpus.getFirst().counter().hostTicks();
        vcpus.forEach(vcpu -> vcpu.freeze(hostTicks));
        frozen = true;
      }
    });
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      doorbells.close();
      signals.close();
      vcpus.forEach(KvmVcpu::close);
      Libc.close(vmFd);
    }
  }
}
