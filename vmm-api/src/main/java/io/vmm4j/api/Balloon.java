package io.vmm4j.api;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/**
 * A balloon in a guest's memory (virtio 1.2, 5.5): it takes memory of the guest's, which the host
 * has then. Besides, the guest reports memory that it does not use at the moment. The host gets
 * memory back on a backend with native access; elsewhere it becomes zeros and stays. Safe for any
 * thread.
 *
 * {@snippet :
 * Balloon balloon = vm.device("pci/00:05.0", Balloon.class);
 * balloon.target(MemorySize.mebibytes(256));
 * long free = balloon.statistics(Duration.ofSeconds(5)).get(Balloon.Statistic.FREE);
 * }
 */
public interface Balloon {

  /** What a guest tells of its memory (virtio 1.2, 5.5.6.4), in the order of the tags. */
  enum Statistic {
    /** Bytes swapped in. */
    SWAPPED_IN,
    /** Bytes swapped out. */
    SWAPPED_OUT,
    /** How many page faults needed a disk. */
    MAJOR_FAULTS,
    /** How many page faults did not. */
    MINOR_FAULTS,
    /** Bytes that nobody uses. */
    FREE,
    /** Bytes that there are. */
    TOTAL,
    /** Bytes that a new program could have without swapping. */
    AVAILABLE,
    /** Bytes of caches that can be had back. */
    CACHES,
    /** How many huge pages were allocated. */
    HUGE_PAGES,
    /** How many huge pages could not be allocated. */
    HUGE_PAGE_FAILURES
  }

  /**
   * Asks the guest to have so much memory, of the RAM that the machine has. It follows as it can,
   * later or never.
   *
   * @param memory rounded down to 4 KiB; more than the machine has means all of it
   */
  void target(MemorySize memory);

  /** Returns how much memory the guest has by its own account. */
  MemorySize memory();

  /** Returns how many bytes the guest has given or reported since this machine was made. */
  long discardedBytes();

  /**
   * Asks the guest for statistics, and waits for them.
   *
   * @return those that the guest tells
   * @throws java.net.SocketTimeoutException if it does not answer in time
   * @throws IOException if the machine is closed
   */
  Map<Statistic, Long> statistics(Duration timeout) throws IOException;
}
