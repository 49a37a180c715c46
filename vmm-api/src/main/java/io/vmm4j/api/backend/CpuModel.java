package io.vmm4j.api.backend;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * A level of the processor, by the x86-64 psABI's microarchitecture levels.
 *
 * <p>{@link #V2} is what a machine has unless it is told otherwise, for every host can give it.
 */
public enum CpuModel {
  /** x86-64-v2: SSE up to SSE4.2. Every machine has it. */
  V2(EnumSet.noneOf(CpuFeature.class)),

  /** x86-64-v3: AVX, AVX2, FMA, F16C, BMI1, BMI2, LZCNT and MOVBE besides. */
  V3(
      EnumSet.of(
          CpuFeature.AVX,
          CpuFeature.AVX2,
          CpuFeature.FMA,
          CpuFeature.F16C,
          CpuFeature.BMI1,
          CpuFeature.BMI2,
          CpuFeature.LZCNT,
          CpuFeature.MOVBE));

  private final Set<CpuFeature> features;

  CpuModel(Set<CpuFeature> features) {
    this.features = Collections.unmodifiableSet(features);
  }

  /** Returns what it has beyond the portable processor. */
  public Set<CpuFeature> features() {
    return features;
  }
}
