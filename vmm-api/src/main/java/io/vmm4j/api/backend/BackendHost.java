package io.vmm4j.api.backend;

import io.vmm4j.api.Translation;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The machine as its backend sees it. Port and MMIO accesses, {@code acknowledge} and {@code
 * endOfInterrupt} take the machine lock themselves; a vCPU's thread calls them between or within
 * instructions.
 */
public interface BackendHost {

  /** How many vCPUs the machine has. */
  int cpus();

  /** Whether the software backend is to make machine code of the guest's. */
  default Translation translation() {
    return Translation.AUTO;
  }

  /** The CPUID leaves the guest sees. */
  List<CpuidLeaf> cpuid();

  /** The one segment of which RAM and all device memory are slices. */
  MemorySegment memory();

  /** What lies at a guest physical address; asked on TLB fills. From any thread. */
  MemoryLocation locate(long guestPhysicalAddress);

  /**
   * A vCPU has written, or is about to, to pages of {@link #memory}: to be said at least once for
   * each page between two calls of {@link BackendMachine#harvestWrites}. From any thread, without a
   * lock.
   */
  void vcpuWrites(long offset, long length);

  /** The clock. */
  VmClock clock();

  /** The frequency of the guest's TSC in Hz. */
  long tscFrequencyHz();

  /** Under virtual time: accounts for executed instructions. Does nothing under real time. */
  void instructionsExecuted(long count);

  /** The seed of RDRAND and RDSEED: equal seeds give equal numbers. */
  long randomSeed();

  /** IN: size 1, 2 or 4. */
  int readPort(int port, int size);

  /** OUT: size 1, 2 or 4. */
  void writePort(int port, int size, int value);

  /** A load where there is no memory: size 1, 2, 4 or 8; all-ones for nobody home. */
  long readMmio(long guestPhysicalAddress, int size);

  /** A store where there is no writable memory. */
  void writeMmio(long guestPhysicalAddress, int size, long value);

  /** The vector of the external interrupt (INTA cycle). */
  int acknowledgeExternalInterrupt();

  /** A local APIC has ended a level-triggered interrupt. */
  void endOfInterrupt(int vector);

  /** A timer of the machine's clock, for a local APIC. */
  DeviceTimer timer(String name, Runnable action);

  /**
   * Starts a thread of the machine, which the backend ends at its close. What it throws ends the
   * machine as crashed.
   *
   * @param purpose a word, for its name
   */
  Thread startThread(String purpose, Runnable body);

  /** Runs {@code task} with the machine lock held, on this thread. */
  void locked(Runnable task);
}
