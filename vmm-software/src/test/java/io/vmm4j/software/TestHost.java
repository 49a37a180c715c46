package io.vmm4j.software;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MemoryLocation;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A machine of memory and nothing else, for tests that drive a {@code Cpu} directly: 16 MiB of RAM
 * at 0, a clock that the test moves, and a record of what the processor asked for.
 */
public final class TestHost implements BackendHost {
  /** The size of RAM. */
  public static final long MEMORY_BYTES = 16 << 20;

  /** Port writes, as "port:size=value", in order. */
  public final List<String> portWrites = new ArrayList<>();

  /** The vectors whose level-triggered interrupt has ended. */
  public final List<Integer> endedInterrupts = new ArrayList<>();

  /** What happens in each write to a port and to MMIO. */
  public Runnable onWrite = () -> {};

  /** What IN gives. */
  public int portValue = 0x12345678;

  /** What the acknowledge cycle gives. */
  public int externalVector = 0x20;

  private final CpuVendor vendor;
  private final Set<CpuFeature> features;
  private final MemorySegment memory = Arena.ofAuto().allocate(MEMORY_BYTES, 4096);
  private final List<ManualTimer> timers = new ArrayList<>();
  private long nanos;

  private final class ManualTimer implements DeviceTimer {
    private final Runnable action;
    private long at = -1;

    ManualTimer(Runnable action) {
      this.action = action;
    }

    @Override
    public void armAt(long nanoTime) {
      at = nanoTime;
    }

    @Override
    public void cancel() {
      at = -1;
    }

    @Override
    public boolean isArmed() {
      return at >= 0;
    }
  }

  /** A machine with an Intel processor. */
  public TestHost() {
    this(CpuVendor.INTEL, Set.of());
  }

  /**
   * A machine with a processor of a vendor.
   *
   * @param features what it has besides
   */
  public TestHost(CpuVendor vendor, Set<CpuFeature> features) {
    this.vendor = vendor;
    this.features = features;
  }

  /** Moves the clock on, firing timers in their order. */
  public void advance(long byNanos) {
    long end = nanos + byNanos;
    while (true) {
      ManualTimer next = null;
      for (ManualTimer t : timers) {
        if (t.isArmed() && t.at <= end && (next == null || t.at < next.at)) {
          next = t;
        }
      }
      if (next == null) {
        nanos = end;
        return;
      }
      nanos = Math.max(nanos, next.at);
      next.at = -1;
      next.action.run();
    }
  }

  /** Moves the clock on without firing timers, as when the thread that would is late. */
  public void passUnnoticed(long byNanos) {
    nanos += byNanos;
  }

  @Override
  public int cpus() {
    return 1;
  }

  @Override
  public List<CpuidLeaf> cpuid() {
    List<CpuidLeaf> leaves =
        List.of(
            vendor.leaf(0xD),
            new CpuidLeaf(1, -1, 0x30661, 0x10800, 0xC5BA2201, 0x0F8BFBFF & ~2),
            new CpuidLeaf(7, 0, 0, 0x00140683, 0, 1 << 29 | 1 << 4),
            new CpuidLeaf(0xB, 0, 0, 1, 0x100, 0),
            new CpuidLeaf(0xD, 0, 3, 576, 576, 0),
            new CpuidLeaf(0x80000000, -1, 0x80000008, 0, 0, 0),
            new CpuidLeaf(0x80000001, -1, 0, 0, 1, 0x2C100800),
            new CpuidLeaf(0x80000008, -1, 0x3028, 0, 0, 0));
    return CpuFeature.claim(leaves, features);
  }

  @Override
  public MemorySegment memory() {
    return memory;
  }

  @Override
  public MemoryLocation locate(long guestPhysicalAddress) {
    return guestPhysicalAddress < MEMORY_BYTES
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
        return nanos;
      }

      @Override
      public Instant wallTime() {
        return Instant.EPOCH.plusNanos(nanos);
      }

      @Override
      public ClockMode mode() {
        return ClockMode.VIRTUAL;
      }
    };
  }

  @Override
  public long tscFrequencyHz() {
    return 1_000_000_000L;
  }

  @Override
  public void instructionsExecuted(long count) {}

  @Override
  public long randomSeed() {
    return 42;
  }

  @Override
  public int readPort(int port, int size) {
    return size == 4 ? portValue : portValue & (1 << 8 * size) - 1;
  }

  @Override
  public void writePort(int port, int size, int value) {
    onWrite.run();
    portWrites.add("%x:%d=%x".formatted(port, size, value));
  }

  @Override
  public long readMmio(long guestPhysicalAddress, int size) {
    return -1;
  }

  @Override
  public void writeMmio(long guestPhysicalAddress, int size, long value) {
    onWrite.run();
  }

  @Override
  public int acknowledgeExternalInterrupt() {
    return externalVector;
  }

  @Override
  public void endOfInterrupt(int vector) {
    endedInterrupts.add(vector);
  }

  @Override
  public DeviceTimer timer(String name, Runnable action) {
    ManualTimer timer = new ManualTimer(action);
    timers.add(timer);
    return timer;
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
