package io.vmm4j.api.device;

/** Takes the guest's accesses of one trapped window. Called with the machine lock held. */
public interface MmioHandler {

  /**
   * A load.
   *
   * @param offset from the base of the claim
   * @param size 1, 2, 4 or 8 bytes, all inside the claim and no wider than its width
   * @return the value; bits above the size are ignored
   */
  long read(long offset, int size);

  /** A store; bits of {@code value} above the size are zero. */
  void write(long offset, int size, long value);
}
