package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;

/** Loads nothing: the processor starts where power-up leaves it. */
final class ResetVectorLoader implements BootLoader {
  @Override
  public CpuState load(BootTarget target) {
    return ResetState.bootstrapProcessor();
  }
}
