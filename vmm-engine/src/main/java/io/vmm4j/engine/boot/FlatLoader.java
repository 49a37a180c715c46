package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;

/** A flat image, entered in real mode at its first byte. */
final class FlatLoader implements BootLoader {
  private final BootSource.FlatRealMode source;

  FlatLoader(BootSource.FlatRealMode source) {
    this.source = source;
  }

  @Override
  public CpuState load(BootTarget target) {
    int address = source.address();
    if (address < 0 || address > 0xF_FFF0 || address % 16 != 0) {
      throw new BootException(
          "%s: the address of a real-mode image is a multiple of 16 below 0x100000, not 0x%x"
              .formatted(source.image(), address));
    }
    try (ImageBytes image = ImageBytes.open(source.image())) {
      if (image.size() == 0) {
        throw image.fault("the image is empty: there is nothing to enter");
      }
      target.requireRam(image, "the image", address, image.size());
      target.load(image, "the image", 0, address, image.size());
    }
    return EntryState.realMode(address);
  }
}
