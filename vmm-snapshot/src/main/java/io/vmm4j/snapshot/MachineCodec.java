package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Turns a {@link MachineDescription} into fields and back. */
final class MachineCodec {

  /** The description but for the devices, whose configurations have schemas of their own. */
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
      List<MachineDescription.Range> memoryMap) {}

  private static final RecordSchema<Machine> SCHEMA =
      RecordSchema.of(MethodHandles.lookup(), Machine.class);

  private static final String DEVICES = "devices";

  private MachineCodec() {}

  static int version() {
    return SCHEMA.version();
  }

  /** The names and types of the fields, for the test that holds shape and version together. */
  static String shape() {
    return SCHEMA.shape();
  }

  static FieldMap toFields(MachineDescription machine) {
    List<FieldMap> devices = new ArrayList<>();
    for (MachineDescription.Device device : machine.devices()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("path", device.path());
      fields.put("type", device.type());
      fields.put("configVersion", (long) device.configVersion());
      fields.put("config", device.config());
      devices.add(FieldMap.of(fields));
    }
    return SCHEMA
        .toFields(
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
                machine.memoryMap()))
        .with(DEVICES, devices);
  }

  static MachineDescription fromFields(int version, FieldMap fields, long offset) {
    Machine m = Fields.decode(SCHEMA, version, fields, "the machine", offset);
    try {
      return new MachineDescription(
          m.name(),
          m.memoryBytes(),
          m.cpus(),
          m.board(),
          devices(fields, offset),
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

  private static List<MachineDescription.Device> devices(FieldMap fields, long offset) {
    if (!fields.has(DEVICES) || !(fields.get(DEVICES) instanceof List<?> list)) {
      throw new SnapshotException.Corrupt(offset, "the machine has no list of devices");
    }
    List<MachineDescription.Device> devices = new ArrayList<>();
    for (Object element : list) {
      if (!(element instanceof FieldMap device)) {
        throw Fields.wrong(DEVICES, "a device", element, offset);
      }
      if (!device.has("config") || !(device.get("config") instanceof FieldMap config)) {
        throw Fields.wrong("config", "the configuration of a device", "nothing", offset);
      }
      devices.add(
          new MachineDescription.Device(
              Fields.text(device, "path", offset),
              Fields.text(device, "type", offset),
              Fields.smallInteger(device, "configVersion", 1, Integer.MAX_VALUE, offset),
              config));
    }
    return devices;
  }
}
