package io.vmm4j.api.state;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Named fields of a state as they stand in the file, in order. Values are {@link Long} (every
 * integer), {@link Boolean}, {@link String}, {@code byte[]}, {@link List} of values, or a nested
 * {@code FieldMap}. Immutable but for the bytes of arrays, which are not to be changed.
 */
public final class FieldMap {
  private final Map<String, Object> fields;

  private FieldMap(Map<String, Object> fields) {
    this.fields = fields;
  }

  /**
   * Fields in the map's order.
   *
   * @throws IllegalArgumentException if a value is of a type that the format has not
   */
  public static FieldMap of(Map<String, ?> fields) {
    Map<String, Object> copy = new LinkedHashMap<>();
    fields.forEach((name, value) -> copy.put(name, checked(name, value)));
    return new FieldMap(copy);
  }

  private static Object checked(String name, Object value) {
    return switch (value) {
      case Long l -> l;
      case Boolean b -> b;
      case String s -> s;
      case byte[] b -> b;
      case FieldMap m -> m;
      case List<?> list -> list.stream().map(element -> checked(name, element)).toList();
      default ->
          throw new IllegalArgumentException(
              "field '" + name + "' has a value of type " + value.getClass().getName());
    };
  }

  /** The names, in order. */
  public Set<String> names() {
    return Collections.unmodifiableSet(fields.keySet());
  }

  /** Whether there is a field of this name. */
  public boolean has(String name) {
    return fields.containsKey(name);
  }

  /**
   * The value of a field.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Object get(String name) {
    Object value = fields.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no field '" + name + "'");
    }
    return value;
  }

  /** The same with one field set, at its place or at the end. */
  public FieldMap with(String name, Object value) {
    Map<String, Object> copy = new LinkedHashMap<>(fields);
    copy.put(name, checked(name, value));
    return new FieldMap(copy);
  }

  /** The same without a field. */
  public FieldMap without(String name) {
    Map<String, Object> copy = new LinkedHashMap<>(fields);
    copy.remove(name);
    return new FieldMap(copy);
  }

  /** The fields as an unmodifiable map. */
  public Map<String, Object> asMap() {
    return Collections.unmodifiableMap(fields);
  }

  /** Equal if the fields, their order aside, have equal values; arrays by content. */
  @Override
  public boolean equals(Object other) {
    return other instanceof FieldMap that
        && fields.keySet().equals(that.fields.keySet())
        && fields.entrySet().stream()
            .allMatch(e -> Objects.deepEquals(box(e.getValue()), box(that.get(e.getKey()))));
  }

  private static Object box(Object value) {
    return value instanceof List<?> list ? list.stream().map(FieldMap::box).toArray() : value;
  }

  @Override
  public int hashCode() {
    return fields.keySet().hashCode();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    fields.forEach((name, value) ->
        text.append(text.length() > 1 ? ", " : "")
            .append(name)
            .append('=')
            .append(value instanceof byte[] b ? b.length + " bytes" : value));
    return text.append('}').toString();
  }
}
