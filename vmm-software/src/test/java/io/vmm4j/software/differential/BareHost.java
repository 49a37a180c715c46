package io.vmm4j.software.differential;

import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MemoryLocation;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.x86.CpuidModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.List;

/**
 * A machine of memory alone, whose every port calls {@code onPortWrite}. Time stands in it. Of the
 * model's features its processor has those of user code, so that a host need not have the others;
 * and those besides that the host has ({@link HostFeatures}).
 */
final class BareHost implements BackendHost {
  static final long MEMORY_BYTES = 2 << 20;
  private static final long WANTED_TSC_HZ = 1_000_000_000;

  /** SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT, XSAVE, and that there is a hypervisor. */
  private static final int LEAF_1_ECX = 0x8498_2201;

  /** ERMS. */
  private static final int LEAF_7_EBX = 1 << 9;

  private final MemorySegment memory;
  private final List<CpuidLeaf> cpuid;
  private final long tscFrequencyHz;
  private final Translation translation;
  private final Runnable onPortWrite;

  BareHost(Arena arena, VmBackend backend, Translation translation, Runnable onPortWrite) {
    this.translation = translation;
    this.memory = arena.allocate(MEMORY_BYTES, Layout.PAGE);
    this.tscFrequencyHz = backend.possibleTscFrequencyHz(WANTED_TSC_HZ);
    List<CpuidLeaf> model =
        CpuidModel.portable(1, tscFrequencyHz, HostFeatures.PRESENT.vendor()).stream()
            .map(BareHost::userFeatures)
            .toList();
    this.cpuid = backend.possible(CpuFeature.claim(model, HostFeatures.PRESENT.features()));
    this.onPortWrite = onPortWrite;
  }

  private static CpuidLeaf userFeatures(CpuidLeaf l) {
    return switch (l.leaf()) {
      case 1 ->
          new CpuidLeaf(l.leaf(), l.subleaf(), l.eax(), l.ebx(), l.ecx() & LEAF_1_ECX, l.edx());
      case 7 -> new CpuidLeaf(l.leaf(), l.subleaf(), l.eax(), l.ebx() & LEAF_7_EBX, 0, 0);
      default -> l;
    };
  }

  @Override
  public Translation translation() {
    return translation;
  }

  @Override
  public int cpus() {
    return 1;
  }

  @Override
  public List<CpuidLeaf> cpuid() {
    return cpuid;
  }

  @Override
  public MemorySegment memory() {
    return memory;
  }

  @Override
  public MemoryLocation locate(long guestPhysicalAddress) {
    return Long.compareUnsigned(guestPhysicalAddress, MEMORY_BYTES) < 0
        ? new MemoryLocation(0, MEMORY_BYTES, 0, true)
        : new MemoryLocation(MEMORY_BYTES, (1L << 52) - MEMORY_BYTES, -1, false);
  }

  @Override
  public void vcpuWrites(long offset, long length) {
    // Nobody asks.
  }

  @Override
  public VmClock clock() {
    return new VmClock() {
      @Override
      public long nanoTime() {
        return 0;
      }

      @Override
      public Instant wallTime() {
        return Instant.EPOCH;
      }

      @Override
      public ClockMode mode() {
        return ClockMode.VIRTUAL;
      }
    };
  }

  @Override
  public long tscFrequencyHz() {
    return tscFrequencyHz;
  }

  @Override
  public void instructionsExecuted(long count) {
    // Time stands.
  }

  @Override
  public long randomSeed() {
    return 0;
  }

  @Override
  public int readPort(int port, int size) {
    return -1;
  }

  @Override
  public void writePort(int port, int size, int value) {
    onPortWrite.run();
  }

  @Override
  public long readMmio(long guestPhysicalAddress, int size) {
    return -1;
  }

  @Override
  public void writeMmio(long guestPhysicalAddress, int size, long value) {
    // Nobody is home.
  }

  @Override
  public int acknowledgeExternalInterrupt() {
    throw new AssertionError("nothing interrupts");
  }

  @Override
  public void endOfInterrupt(int vector) {
    throw new AssertionError("nothing interrupts");
  }

  @Override
  public DeviceTimer timer(String name, Runnable action) {
    return new DeviceTimer() {
      @Override
      public void armAt(long nanoTime) {
        // Time stands.
      }

      @Override
      public void cancel() {
        // It is never armed.
      }

      @Override
      public boolean isArmed() {
        return false;
      }
    };
  }

  @Override
  public Thread startThread(String purpose, Runnable body) {
    throw new UnsupportedOperationException("a bare host has no threads");
  }

  @Override
  public void locked(Runnable task) {
    task.run();
  }
}
