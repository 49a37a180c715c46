package io.vmm4j.snapshot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** How the parts of a machine that are no devices stand in a snapshot. */
public final class MachineSchemas {

  /** A vCPU with its local APIC: the architectural state, the same for every backend. */
  public static final RecordSchema<CpuState> CPU =
      RecordSchema.builder(MethodHandles.lookup(), CpuState.class)
          .version(3)
          .upgrade(1, MachineSchemas::cpuWithoutMessages)
          // The XSAVE area may be longer since, by what CPUID claims; a shorter one is right still.
          .upgrade(2, UnaryOperator.identity())
          .build();

  /** A mapping of device memory. */
  public static final RecordSchema<MappingState> MAPPING =
      RecordSchema.of(MethodHandles.lookup(), MappingState.class);

  /** The type of the state of a vCPU. */
  public static final String VCPU_TYPE = "vcpu";

  /** The type of the state of the clock. */
  public static final String CLOCK_TYPE = "clock";

  /** The type of the state of a console. */
  public static final String CONSOLE_TYPE = "console";

  private MachineSchemas() {}

  /** The path of the state of a device's console. */
  public static String consolePath(String device) {
    return CONSOLE_TYPE + "/" + device;
  }

  /** Version 1 did not hold messages on their way to the processor, nor unread APIC errors. */
  private static FieldMap cpuWithoutMessages(FieldMap cpu) {
    FieldMap events = (FieldMap) cpu.get("events");
    FieldMap apic = (FieldMap) cpu.get("apic");
    return cpu.with("events", events.with("initPending", false).with("startupVector", -1L))
        .with("apic", apic.with("externalInterruptMessage", false).with("unreadErrors", 0L));
  }

  /** The schema of a state that is no device's. */
  static Optional<RecordSchema<?>> state(String type) {
    return switch (type) {
      case VCPU_TYPE -> Optional.of(CPU);
      case CLOCK_TYPE -> Optional.of(ClockState.SCHEMA);
      case CONSOLE_TYPE -> Optional.of(ConsoleState.SCHEMA);
      default -> Optional.empty();
    };
  }
}
