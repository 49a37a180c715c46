package io.vmm4j.api.pci;

import java.util.Optional;

/** The configuration space of a PCI function, 4096 bytes. With the machine lock held. */
public interface ConfigSpace {
  /** How large it is. */
  int BYTES = 4096;

  /**
   * A load.
   *
   * @param offset 0 to 4095
   * @param size 1, 2 or 4 bytes, within the space and within one double word
   */
  int read(int offset, int size);

  /** A store; bits of {@code value} above the size are ignored. */
  void write(int offset, int size, int value);

  /** The space of a function that is reached through this one, which is a bridge then. */
  default Optional<ConfigSpace> behind(int bus, int device, int function) {
    return Optional.empty();
  }
}
