package io.vmm4j.api.device;

/** Takes the guest's stores to device memory that it can only read: the commands of a flash. */
@FunctionalInterface
public interface StoreHandler {

  /**
   * A store. Called with the machine lock held.
   *
   * @param offset in the device memory
   * @param size 1, 2, 4 or 8 bytes, all inside the mapping
   * @param value bits above the size are zero
   */
  void store(long offset, int size, long value);
}
