package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;

/** Turns a {@link MachineDescription} into fields and back. */
final class MachineCodec {

  /** The description; the devices' configurations in it have schemas of their own. */
  private record Machine(
      String name,
      long memoryBytes,
      int cpus,
      String board,
      ClockMode clock,
      long tscFrequencyHz,
      long startEpochSecond,
      int startNano,
      List<CpuidLeaf> cpuid,
      long randomSeed,
      long consoleLimitBytes,
      String backend,
      List<MachineDescription.Region> regions,
      List<MachineDescription.Range> memoryMap,
      List<MachineDescription.Device> devices) {}

  private static final RecordSchema<Machine> SCHEMA =
      RecordSchema.of(MethodHandles.lookup(), Machine.class);

  private MachineCodec() {}

  /** How the machine's description stands in a snapshot. */
  static RecordSchema<?> schema() {
    return SCHEMA;
  }

  static FieldMap toFields(MachineDescription machine) {
    return SCHEMA.toFields(
        new Machine(
            machine.name(),
            machine.memoryBytes(),
            machine.cpus(),
            machine.board(),
            machine.clock(),
            machine.tscFrequencyHz(),
            machine.startTime().getEpochSecond(),
            machine.startTime().getNano(),
            machine.cpuid(),
            machine.randomSeed(),
            machine.consoleLimitBytes(),
            machine.backend(),
            machine.regions(),
            machine.memoryMap(),
            machine.devices()));
  }

  static MachineDescription fromFields(int version, FieldMap fields, long offset) {
    Machine m = Fields.decode(SCHEMA, version, fields, "the machine", offset);
    try {
      return new MachineDescription(
          m.name(),
          m.memoryBytes(),
          m.cpus(),
          m.board(),
          m.devices(),
          m.clock(),
          m.tscFrequencyHz(),
          Instant.ofEpochSecond(m.startEpochSecond(), m.startNano()),
          m.cpuid(),
          m.randomSeed(),
          m.consoleLimitBytes(),
          m.backend(),
          m.regions(),
          m.memoryMap());
    } catch (IllegalArgumentException | DateTimeException | ArithmeticException e) {
      throw new SnapshotException.Corrupt(offset, "the machine: " + e.getMessage());
    }
  }
}
