package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.util.function.Supplier;

/** Takes values out of fields read from a stream, with errors that name the place. */
final class Fields {
  private Fields() {}

  static <R extends Record> R decode(
      RecordSchema<R> schema, int version, FieldMap fields, String what, long offset) {
    return guarded(schema, version, what, offset, () -> schema.fromFields(version, fields));
  }

  /** The fields in the schema's version, unknown ones among them. */
  static FieldMap upgrade(
      RecordSchema<?> schema, int version, FieldMap fields, String what, long offset) {
    return guarded(schema, version, what, offset, () -> schema.upgraded(version, fields));
  }

  private static <T> T guarded(
      RecordSchema<?> schema, int version, String what, long offset, Supplier<T> decoding) {
    if (version < schema.oldestVersion()) {
      throw new SnapshotException.TooOld(what, version, schema.oldestVersion());
    }
    if (version > schema.version()) {
      throw new SnapshotException.TooNew(what, version, schema.version());
    }
    try {
      return decoding.get();
    } catch (SnapshotException e) {
      throw e;
    } catch (RuntimeException e) {
      // An upgrade step works on fields that anybody may have written: whatever it trips over
      // is the file's fault.
      throw new SnapshotException.Corrupt(offset, what + ": " + e.getMessage());
    }
  }

  static long integer(FieldMap fields, String name, long min, long max, long offset) {
    Object value = fields.has(name) ? fields.get(name) : "nothing";
    if (value instanceof Long n && n >= min && n <= max) {
      return n;
    }
    throw wrong(name, "an integer from " + min + " to " + max, value, offset);
  }

  static int smallInteger(FieldMap fields, String name, int min, int max, long offset) {
    return (int) integer(fields, name, min, max, offset);
  }

  static String text(FieldMap fields, String name, long offset) {
    Object value = fields.has(name) ? fields.get(name) : "nothing";
    if (fields.has(name) && value instanceof String text) {
      return text;
    }
    throw wrong(name, "a text", value, offset);
  }

  static boolean flag(FieldMap fields, String name, long offset) {
    Object value = fields.has(name) ? fields.get(name) : "nothing";
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(name, "true or false", value, offset);
  }

  static byte[] bytes(FieldMap fields, String name, int length, long offset) {
    Object value = fields.has(name) ? fields.get(name) : "nothing";
    if (value instanceof byte[] bytes && bytes.length == length) {
      return bytes;
    }
    throw wrong(name, length + " bytes", value, offset);
  }

  static SnapshotException.Corrupt wrong(String name, String expected, Object found, long offset) {
    String shown = found instanceof byte[] b ? b.length + " bytes" : String.valueOf(found);
    return new SnapshotException.Corrupt(
        offset,
        "field '%s': expected %s, found %s"
            .formatted(
                name, expected, shown.length() > 100 ? shown.substring(0, 100) + "…" : shown));
  }
}
