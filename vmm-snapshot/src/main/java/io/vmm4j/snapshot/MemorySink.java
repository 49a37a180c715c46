package io.vmm4j.snapshot;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/** Where a reader puts the memory of a machine. */
@FunctionalInterface
public interface MemorySink {

  /**
   * Provides the memory. Called once, after the description was checked and found to be within the
   * reader's limits, and before any memory is read: the place to refuse a machine that can't be
   * built here.
   *
   * <p>The reader writes to the segments while {@link SnapshotReader#read} runs, possibly from
   * several threads, and never after it has returned or thrown. What it throws, {@code read}
   * throws.
   *
   * @return by region name a writable segment of the region's size, of zeros, usable by any thread;
   *     the contents of a region that is absent here are checked and dropped. For a delta none may
   *     be absent: each is built from the parent's.
   */
  Map<String, MemorySegment> allocate(MachineDescription machine);

  /**
   * Tells that so many bytes more of a region are going to be written, from the thread that reads:
   * the place to refuse more than the host has room for. What it throws, {@code read} throws.
   */
  default void filling(String region, long bytes) {}
}
