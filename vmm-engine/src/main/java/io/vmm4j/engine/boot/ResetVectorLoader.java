package io.vmm4j.engine.boot;

import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.backend.CpuState;
import java.util.List;

/**
 * Loads nothing: the processor starts where power-up leaves it, if there is anything to execute.
 */
final class ResetVectorLoader implements BootLoader {
  private static final long RESET_VECTOR = 0xFFFF_FFF0L;
  private static final long RESET_VECTOR_BYTES = 16;

  @Override
  public CpuState load(BootTarget target) {
    if (!target.memory().contains(RESET_VECTOR, RESET_VECTOR_BYTES)) {
      throw new InvalidSpecException(
          List.of(
              new InvalidSpecException.Fault(
                  "boot",
                  "there is nothing to boot: give a boot source, or a device that has firmware at"
                      + " the reset vector 0xFFFFFFF0, such as bootrom")));
    }
    return ResetState.bootstrapProcessor();
  }
}
