package io.vmm4j.engine.boot;

import io.vmm4j.api.boot.BootSource;
import io.vmm4j.engine.memory.RamLayout;
import java.util.List;

/** Loads the modules of a kernel, from the end of low memory downwards. */
final class BootModules {

  /** Writes the kernel's entry for a module. */
  interface Entry {
    /**
     * Writes an entry.
     *
     * @param number from 0, in the order of the source
     * @param file its bytes, which lie at {@code address}
     */
    void write(int number, BootSource.Module module, ImageBytes file, long address);
  }

  private BootModules() {}

  /**
   * Loads all modules.
   *
   * @param kernel for errors
   * @param most for how many there are entries
   * @param kernelEnd below which none may lie
   * @throws io.vmm4j.api.BootException if there are more, a file can't be read, or one does not fit
   */
  static void load(
      BootTarget target,
      ImageBytes kernel,
      List<BootSource.Module> modules,
      int most,
      long kernelEnd,
      Entry entry) {
    if (modules.size() > most) {
      throw kernel.fault("%d modules are more than the %d that fit", modules.size(), most);
    }
    long below = RamLayout.LOW_END;
    for (int i = 0; i < modules.size(); i++) {
      BootSource.Module module = modules.get(i);
      try (ImageBytes file = ImageBytes.open(module.file())) {
        below = target.loadHigh(file, "the module", Math.max(kernelEnd, RamLayout.EXTENDED), below);
        entry.write(i, module, file, below);
      }
    }
  }
}
