package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a snapshot says that this version does not know, kept so that it survives when the snapshot
 * is written again. (Unknown fields of a state are kept with the {@link StateChunk}.) Of a machine
 * that has run there are none: they would be of another moment.
 */
public final class Leftovers {
  private static final FieldMap NO_FIELDS = FieldMap.of(Map.of());

  private final List<SkippedChunk> chunks = new ArrayList<>();
  private final Map<List<String>, FieldMap> mappings = new HashMap<>();
  private FieldMap machine = NO_FIELDS;

  Leftovers() {}

  /** Nothing. */
  public static Leftovers none() {
    return new Leftovers();
  }

  /** The optional chunks of unknown kinds, in the order of the stream. */
  public List<SkippedChunk> chunks() {
    return List.copyOf(chunks);
  }

  void chunk(SkippedChunk chunk) {
    chunks.add(chunk);
  }

  void machine(int version, FieldMap fields) {
    machine = unknown(MachineCodec.schema(), version, fields);
  }

  void mapping(MappingState mapping, int version, FieldMap fields) {
    FieldMap unknown = unknown(MachineSchemas.MAPPING, version, fields);
    if (!unknown.names().isEmpty()) {
      mappings.put(key(mapping), unknown);
    }
  }

  private static FieldMap unknown(RecordSchema<?> schema, int version, FieldMap fields) {
    FieldMap unknown = schema.upgraded(version, fields);
    for (String known : schema.components().keySet()) {
      unknown = unknown.without(known);
    }
    return unknown;
  }

  private static List<String> key(MappingState mapping) {
    return List.of(mapping.path(), mapping.memory(), mapping.mapping());
  }

  /** The fields of the machine, with those that are left over. */
  FieldMap addToMachine(FieldMap fields) {
    return add(fields, machine);
  }

  /** The fields of a mapping, with those that are left over. */
  FieldMap addToMapping(MappingState mapping, FieldMap fields) {
    return add(fields, mappings.getOrDefault(key(mapping), NO_FIELDS));
  }

  private static FieldMap add(FieldMap fields, FieldMap more) {
    FieldMap sum = fields;
    for (Map.Entry<String, Object> field : more.asMap().entrySet()) {
      sum = sum.with(field.getKey(), field.getValue());
    }
    return sum;
  }

  /** Equal if all that is left over is. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Leftovers that
        && that.machine.equals(machine)
        && that.mappings.equals(mappings)
        && that.chunks.equals(chunks);
  }

  @Override
  public int hashCode() {
    return Objects.hash(machine, mappings, chunks);
  }
}
