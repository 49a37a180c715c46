package io.vmm4j.api.backend;

/**
 * A store of which the backend tells without a call of {@link BackendHost#writeMmio} or {@link
 * BackendHost#writePort}. With the machine lock held.
 */
public interface BackendDoorbell {

  /**
   * Puts it at a port or a guest physical address where there is no memory, or elsewhere. A backend
   * that has no room for it leaves the store to the bus.
   */
  void placeAt(long address);

  /** Takes it away: such a store is the bus's again. What has rung before is still told. */
  void remove();

  /**
   * Which stores ring.
   *
   * @param port whether it is at a port
   * @param size 1, 2, 4, or for memory 8 bytes
   * @param hasValue whether a store must be of a value
   * @param value the value, bits above the size zero
   */
  record Match(boolean port, int size, boolean hasValue, long value) {}
}
