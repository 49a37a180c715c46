package io.vmm4j.api.backend;

import io.vmm4j.api.device.InterruptSignal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
   * The machine's clock has stopped, and no vCPU runs until it goes on. Doorbells that have rung
   * are told before this returns; a backend whose counters and timers are not the machine's clock
   * stops them.
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
   * Gives pages of the machine's one memory segment back to the host. From any thread.
   *
   * @param offset into the segment, a multiple of 4 KiB
   * @param length a multiple of 4 KiB
   * @param shared whether the segment is a shared mapping, whose pages become holes of its file;
   *     the pages of a private mapping become those of the file again
   * @return whether it was done; else nothing has changed
   */
  default boolean releasePages(long offset, long length, boolean shared) {
    return false;
  }

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

  /**
   * A doorbell that the backend watches itself, not yet in a place; empty if it has none, and the
   * store comes by the bus.
   *
   * @param rung to be called after such a store, with the machine lock held; several may be one
   *     call
   */
  default Optional<BackendDoorbell> doorbell(BackendDoorbell.Match match, Runnable rung) {
    return Optional.empty();
  }

  /**
   * A signal that reaches the local APICs past the machine, mute at first; empty if there is none,
   * and the machine sends a message.
   */
  default Optional<InterruptSignal> interruptSignal() {
    return Optional.empty();
  }

  /** How many messages its signals have sent past the machine. From any thread, at any time. */
  default long signalMessages() {
    return 0;
  }

  /** What it has counted, by name: see {@link io.vmm4j.api.VmMetrics}. From any thread. */
  default Map<String, Long> metrics() {
    return Map.of();
  }

  /**
   * Releases everything; no vCPU runs any more. Without the machine lock. May be called more than
   * once.
   */
  @Override
  void close();
}
