package io.vmm4j.api.backend;

/**
 * What lies at a guest physical address, for the whole range around it in which the answer is the
 * same but for the distance.
 *
 * @param base where the range begins, a multiple of 4 KiB
 * @param length its length, a multiple of 4 KiB
 * @param offset of {@code base} into the machine's one memory segment, or -1 where there is no
 *     memory (trapped windows and nothing)
 * @param writable whether stores reach the memory; false for ROM, whose stores go to {@link
 *     BackendHost#writeMmio}
 */
public record MemoryLocation(long base, long length, long offset, boolean writable) {

  /** Whether there is memory. */
  public boolean isMemory() {
    return offset >= 0;
  }
}
