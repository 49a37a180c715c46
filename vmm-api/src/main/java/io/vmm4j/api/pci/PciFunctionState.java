package io.vmm4j.api.pci;

import java.util.List;

/**
 * The state of a PCI function, a part of its device's.
 *
 * @param config its configuration space, up to the last byte in use; what the guest can't write is
 *     not taken from here
 * @param interrupt whether it asks for an interrupt by its pin
 * @param vectors its MSI-X table
 */
public record PciFunctionState(byte[] config, boolean interrupt, List<Vector> vectors) {

  /**
   * An entry of the MSI-X table, and its pending bit.
   *
   * @param address of the message
   * @param data of the message
   * @param control bit 0 masks it
   * @param pending whether a message waits for the mask to go
   */
  public record Vector(long address, int data, int control, boolean pending) {}

  /** Checks sizes. */
  public PciFunctionState {
    if (config.length < 64 || config.length > ConfigSpace.BYTES) {
      throw new IllegalArgumentException(
          "config: %d bytes, not 64 to 4096".formatted(config.length));
    }
    if (vectors.size() > 2048) {
      throw new IllegalArgumentException("vectors: %d, at most 2048".formatted(vectors.size()));
    }
    vectors = List.copyOf(vectors);
  }
}
