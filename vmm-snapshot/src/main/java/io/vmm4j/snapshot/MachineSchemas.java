package io.vmm4j.snapshot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** How the parts of a machine that are no devices stand in a snapshot. */
public final class MachineSchemas {

  /** A vCPU with its local APIC: the architectural state, the same for every backend. */
  public static final RecordSchema<CpuState> CPU =
      RecordSchema.of(MethodHandles.lookup(), CpuState.class);

  /** A mapping of device memory. */
  public static final RecordSchema<MappingState> MAPPING =
      RecordSchema.of(MethodHandles.lookup(), MappingState.class);

  private MachineSchemas() {}
}
