package io.vmm4j.api.device;

/** Takes the guest's port accesses of one claim. Called with the machine lock held. */
public interface PortHandler {

  /**
   * IN.
   *
   * @param offset from the first port of the claim
   * @param size 1, 2 or 4 bytes, all inside the claim and no wider than its width
   * @return the value; bits above the size are ignored
   */
  int read(int offset, int size);

  /** OUT; bits of {@code value} above the size are zero. */
  void write(int offset, int size, int value);
}
