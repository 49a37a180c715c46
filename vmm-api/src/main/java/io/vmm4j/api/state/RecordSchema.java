package io.vmm4j.api.state;

import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * How a record stands in a snapshot: its component names are the field names, its version is
 * declared here, an upgrade from one version to the next is a pure function of the fields.
 *
 * {@snippet :
 * record RtcState(int index, byte[] cmos, long alarmNanos) {}
 *
 * static final RecordSchema<RtcState> SCHEMA =
 *     RecordSchema.builder(MethodHandles.lookup(), RtcState.class)
 *         .version(2)
 *         .defaultValue("alarmNanos", -1L)                    // absent in older files
 *         .upgrade(1, fields -> fields.with("index", 0L))     // 1 -> 2
 *         .build();
 * }
 *
 * <p>Components may be {@code boolean}, {@code byte}, {@code short}, {@code int}, {@code long},
 * {@link String}, an enum, {@code byte[]}, {@code int[]}, {@code long[]}, {@code boolean[]}, a
 * {@link List} or {@link java.util.Optional} of these, a record of these, or a {@link FieldMap} for
 * fields whose shape is another's concern. The lookup gives access to the record, which need not be
 * public. Immutable; safe for any thread.
 *
 * @param <R> the record
 */
public final class RecordSchema<R extends Record> {
  private final Class<R> type;
  private final int version;
  private final int oldestVersion;
  private final Map<Integer, UnaryOperator<FieldMap>> upgrades;
  private final RecordCodec<R> codec;

  private RecordSchema(Builder<R> builder) {
    this.type = builder.type;
    this.version = builder.version;
    this.upgrades = Map.copyOf(builder.upgrades);
    int oldest = version;
    while (upgrades.containsKey(oldest - 1)) {
      oldest--;
    }
    this.oldestVersion = oldest;
    this.codec = RecordCodec.of(builder.lookup, type, builder.defaults);
  }

  /** Begins a schema of version 1. */
  public static <R extends Record> Builder<R> builder(MethodHandles.Lookup lookup, Class<R> type) {
    return new Builder<>(lookup, type);
  }

  /** A schema of version 1 without defaults or upgrades. */
  public static <R extends Record> RecordSchema<R> of(MethodHandles.Lookup lookup, Class<R> type) {
    return builder(lookup, type).build();
  }

  /** The record. */
  public Class<R> type() {
    return type;
  }

  /** The version that {@link #toFields} writes, from 1. */
  public int version() {
    return version;
  }

  /** The oldest version that {@link #fromFields} takes. */
  public int oldestVersion() {
    return oldestVersion;
  }

  /**
   * The names and types of the fields, nested records spelled out: changes exactly when the shape
   * of the record does. For a test that holds shape and version together.
   */
  public String shape() {
    return codec.shape();
  }

  /** The record's components, in order, with their types as {@link #shape} spells them. */
  public Map<String, String> components() {
    return codec.components();
  }

  /** The default of each field that has one. */
  public FieldMap defaults() {
    return codec.defaults();
  }

  /** The fields of a record. */
  public FieldMap toFields(R record) {
    return codec.toFields(record);
  }

  /**
   * The record that the fields of some version stand for, after the upgrades that lie between.
   * Fields that the record has not are ignored.
   *
   * @throws StateFormatException if a field is absent and has no default, is of the wrong type or
   *     out of its range, if the record refuses its values, or if the version is not one of {@link
   *     #oldestVersion} to {@link #version}
   */
  public R fromFields(int fieldsVersion, FieldMap fields) {
    return codec.fromFields(stepped(fieldsVersion, fields));
  }

  /**
   * The fields of the present version that fields of some version stand for: upgraded, defaults
   * filled in. Fields that the record has not are kept as they are.
   *
   * @throws StateFormatException as {@link #fromFields}
   */
  public FieldMap upgraded(int fieldsVersion, FieldMap fields) {
    FieldMap current = stepped(fieldsVersion, fields);
    FieldMap own = codec.toFields(codec.fromFields(current));
    for (String name : own.names()) {
      // A nested record may have unknown fields of its own; what is there already is right.
      if (!current.has(name)) {
        current = current.with(name, own.get(name));
      }
    }
    return current;
  }

  private FieldMap stepped(int fieldsVersion, FieldMap fields) {
    if (fieldsVersion < oldestVersion || fieldsVersion > version) {
      throw new StateFormatException(
          "%s: version %d is not one of %d to %d"
              .formatted(type.getSimpleName(), fieldsVersion, oldestVersion, version));
    }
    FieldMap current = fields;
    for (int v = fieldsVersion; v < version; v++) {
      try {
        current = upgrades.get(v).apply(current);
      } catch (IllegalArgumentException | ClassCastException e) {
        throw new StateFormatException(
            "%s: upgrade from version %d failed: %s"
                .formatted(type.getSimpleName(), v, e.getMessage()),
            e);
      }
    }
    return current;
  }

  /**
   * Collects what a schema is made of.
   *
   * @param <R> the record
   */
  public static final class Builder<R extends Record> {
    private final MethodHandles.Lookup lookup;
    private final Class<R> type;
    private final Map<Integer, UnaryOperator<FieldMap>> upgrades = new TreeMap<>();
    private final Map<String, Object> defaults = new TreeMap<>();
    private int version = 1;

    private Builder(MethodHandles.Lookup lookup, Class<R> type) {
      this.lookup = lookup;
      this.type = type;
    }

    /** The version written from now on; from 1. */
    public Builder<R> version(int number) {
      this.version = number;
      return this;
    }

    /** The value of a field that is absent, in the form of a {@link FieldMap} value. */
    public Builder<R> defaultValue(String field, Object value) {
      defaults.put(field, value);
      return this;
    }

    /** Every field of this record is the default of the field of its name. */
    public Builder<R> defaults(R record) {
      RecordCodec.of(lookup, type, Map.of()).toFields(record).asMap().forEach(defaults::put);
      return this;
    }

    /** The step from {@code fromVersion} to the next. */
    public Builder<R> upgrade(int fromVersion, UnaryOperator<FieldMap> step) {
      upgrades.put(fromVersion, step);
      return this;
    }

    /**
     * The schema.
     *
     * @throws IllegalArgumentException if a component has a type that the format has not, or a
     *     default names no component
     */
    public RecordSchema<R> build() {
      return new RecordSchema<>(this);
    }
  }
}
