package io.vmm4j.api.backend;

import java.util.List;

/**
 * The processors' side of one machine: its vCPUs and local APICs. Methods are called with the
 * machine lock held unless they say otherwise.
 */
public interface BackendMachine extends AutoCloseable {

  /** The vCPU of an index, 0 being the bootstrap processor; the same object at every call. */
  Vcpu vcpu(int index);

  /**
   * What runs the vCPUs, each on a thread of its own; the same objects at every call. A backend
   * whose vCPUs take turns has one runner for all of them.
   */
  List<? extends VcpuRunner> runners();

  /** The guest physical memory map has changed: translations that lead to the old one are void. */
  void memoryMapChanged();

  /**
   * The machine's clock has stopped, and no vCPU runs until it goes on. A backend whose counters
   * and timers are not the machine's clock stops them.
   */
  default void clockStopped() {}

  /**
   * Guest memory was written by other means than a vCPU: decoded code there is void. From any
   * thread.
   *
   * @param offset into the machine's one memory segment, not a guest physical address
   */
  void memoryWritten(long offset, long length);

  /**
   * Sees to it that every page that a vCPU has written has been named to {@link
   * BackendHost#vcpuWrites}, and that the next write to any page will be. While no vCPU runs.
   */
  void harvestWrites();

  /** Delivers an interrupt message to the local APICs it addresses. */
  void sendMessage(long address, int data);

  /** The INTR pin. */
  void setExternalInterrupt(boolean asserted);

  /** Pulses NMI at the bootstrap processor. */
  void nonMaskableInterrupt();

  /** Releases everything; no vCPU runs any more. May be called more than once. */
  @Override
  void close();
}
