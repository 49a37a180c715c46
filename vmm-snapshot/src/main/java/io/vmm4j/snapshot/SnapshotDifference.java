package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What differs between two snapshots: fields of the machine and of the states, and pages of memory.
 * Identity and time of writing, and how the memory is stored, count for nothing.
 *
 * @param machine fields of the machine, the devices' configurations among them
 * @param states those of which something differs
 * @param mappings of device memory, as fields by path, memory and name
 * @param memory the regions of which something differs
 */
public record SnapshotDifference(
    List<Field> machine, List<State> states, List<Field> mappings, List<Memory> memory) {

  /** Copies the lists. */
  public SnapshotDifference {
    machine = List.copyOf(machine);
    states = List.copyOf(states);
    mappings = List.copyOf(mappings);
    memory = List.copyOf(memory);
  }

  /**
   * A field of two values.
   *
   * @param name where it is, such as {@code keyboard.queue} or {@code redirections[3]}
   * @param first its value in the first snapshot; absent if it is not there
   * @param second the same in the second
   */
  public record Field(String name, Optional<Object> first, Optional<Object> second) {}

  /**
   * A state of which something differs.
   *
   * @param firstVersion the version of its schema in the first snapshot; 0 if it is not there
   * @param secondVersion the same in the second
   */
  public record State(
      String type, String path, int firstVersion, int secondVersion, List<Field> fields) {}

  /**
   * A region of which something differs.
   *
   * @param firstBytes its size in the first snapshot; 0 if it is not there
   * @param secondBytes the same in the second
   * @param differentPages how many pages of 4096 bytes differ; those that only one has count
   * @param ranges where these are, ascending
   */
  public record Memory(
      String region, long firstBytes, long secondBytes, long differentPages, List<Range> ranges) {}

  /**
   * Pages in a row that all differ.
   *
   * @param offset into the region
   * @param bytes a multiple of 4096
   */
  public record Range(long offset, long bytes) {}

  /** Whether nothing differs. */
  public boolean isEmpty() {
    return machine.isEmpty() && states.isEmpty() && mappings.isEmpty() && memory.isEmpty();
  }

  /**
   * Compares two snapshots. Both are to be whole: of a damaged one only what was read is compared.
   */
  public static SnapshotDifference between(SnapshotInspector first, SnapshotInspector second) {
    return new SnapshotDifference(
        fields(
            Optional.of(MachineCodec.toFields(first.machine())),
            Optional.of(MachineCodec.toFields(second.machine()))),
        states(first.inspection(), second.inspection()),
        fields(
            Optional.of(mappings(first.inspection())), Optional.of(mappings(second.inspection()))),
        memory(first, second));
  }

  private static List<State> states(SnapshotInspection first, SnapshotInspection second) {
    record Key(String type, String path) {}
    Map<Key, StateChunk> one = new LinkedHashMap<>();
    Map<Key, StateChunk> two = new LinkedHashMap<>();
    first.states().forEach(state -> one.put(new Key(state.type(), state.path()), state));
    second.states().forEach(state -> two.put(new Key(state.type(), state.path()), state));
    Set<Key> keys = new LinkedHashSet<>(one.keySet());
    keys.addAll(two.keySet());
    List<State> different = new ArrayList<>();
    for (Key key : keys) {
      Optional<StateChunk> a = Optional.ofNullable(one.get(key));
      Optional<StateChunk> b = Optional.ofNullable(two.get(key));
      List<Field> fields = fields(a.map(StateChunk::fields), b.map(StateChunk::fields));
      int versionA = a.map(StateChunk::version).orElse(0);
      int versionB = b.map(StateChunk::version).orElse(0);
      if (!fields.isEmpty() || versionA != versionB) {
        different.add(new State(key.type(), key.path(), versionA, versionB, fields));
      }
    }
    return different;
  }

  private static FieldMap mappings(SnapshotInspection inspection) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (MappingState mapping : inspection.mappings()) {
      all.put(
          mapping.path() + "/" + mapping.memory() + "/" + mapping.mapping(),
          MachineSchemas.MAPPING.toFields(mapping));
    }
    return FieldMap.of(all);
  }

  private static List<Field> fields(Optional<FieldMap> first, Optional<FieldMap> second) {
    Map<String, Object> one = new LinkedHashMap<>();
    Map<String, Object> two = new LinkedHashMap<>();
    first.ifPresent(fields -> flatten("", fields, one));
    second.ifPresent(fields -> flatten("", fields, two));
    Set<String> names = new LinkedHashSet<>(one.keySet());
    names.addAll(two.keySet());
    List<Field> different = new ArrayList<>();
    for (String name : names) {
      Object a = one.get(name);
      Object b = two.get(name);
      if (!Objects.deepEquals(a, b)) {
        different.add(new Field(name, Optional.ofNullable(a), Optional.ofNullable(b)));
      }
    }
    return different;
  }

  /** Every plain value under the path that leads to it; elements that have a path are named so. */
  private static void flatten(String name, Object value, Map<String, Object> into) {
    switch (value) {
      case FieldMap map ->
          map.asMap()
              .forEach((field, nested) ->
                  flatten(name.isEmpty() ? field : name + "." + field, nested, into));
      case List<?> list -> {
        for (int i = 0; i < list.size(); i++) {
          Object element = list.get(i);
          boolean named =
              element instanceof FieldMap map
                  && map.has("path")
                  && map.get("path") instanceof String;
          String index = named ? (String) ((FieldMap) element).get("path") : String.valueOf(i);
          flatten(name + "[" + index + "]", element, into);
        }
      }
      default -> into.put(name, value);
    }
  }

  private static List<Memory> memory(SnapshotInspector first, SnapshotInspector second) {
    Map<String, Long> one = sizes(first);
    Map<String, Long> two = sizes(second);
    Set<String> names = new LinkedHashSet<>(one.keySet());
    names.addAll(two.keySet());
    List<Memory> different = new ArrayList<>();
    for (String name : names) {
      long a = one.getOrDefault(name, 0L);
      long b = two.getOrDefault(name, 0L);
      List<Range> ranges = new ArrayList<>();
      long common = Math.min(a, b);
      if (common > 0) {
        compare(first.region(name), second.region(name), common, ranges);
      }
      if (a != b) {
        add(ranges, common, Math.max(a, b) - common);
      }
      if (!ranges.isEmpty()) {
        long bytes = ranges.stream().mapToLong(Range::bytes).sum();
        different.add(new Memory(name, a, b, bytes / SnapshotFormat.PAGE_BYTES, ranges));
      }
    }
    return different;
  }

  private static Map<String, Long> sizes(SnapshotInspector snapshot) {
    Map<String, Long> sizes = new LinkedHashMap<>();
    snapshot.machine().regions().forEach(region -> sizes.put(region.name(), region.bytes()));
    return sizes;
  }

  private static void compare(
      MemorySegment first, MemorySegment second, long bytes, List<Range> ranges) {
    long page = SnapshotFormat.PAGE_BYTES;
    long at = 0;
    while (at < bytes) {
      long mismatch = MemorySegment.mismatch(first, at, bytes, second, at, bytes);
      if (mismatch < 0) {
        return;
      }
      at += mismatch / page * page;
      add(ranges, at, page);
      at += page;
    }
  }

  private static void add(List<Range> ranges, long offset, long bytes) {
    if (!ranges.isEmpty() && ranges.getLast().offset() + ranges.getLast().bytes() == offset) {
      Range last = ranges.removeLast();
      ranges.add(new Range(last.offset(), last.bytes() + bytes));
    } else {
      ranges.add(new Range(offset, bytes));
    }
  }
}
