package io.vmm4j.api.memory;

import java.lang.foreign.MemorySegment;

/**
 * Reads or writes a piece of memory in place.
 *
 * @param <X> what it throws
 */
@FunctionalInterface
public interface MemoryPiece<X extends Exception> {

  /**
   * Does it.
   *
   * @param piece the memory itself, for the time of this call
   */
  void accept(MemorySegment piece) throws X;
}
