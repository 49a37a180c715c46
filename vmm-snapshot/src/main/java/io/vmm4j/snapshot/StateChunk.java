package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;

/**
 * The state of one thing: a device, a vCPU, a clock.
 *
 * @param type whose schema it is: a device's type, or {@code vcpu} and the like
 * @param path which one: a device's path, or {@code vcpu/0} and the like
 * @param version of the schema, from 1
 * @param critical whether a reader that does not know it must refuse the snapshot
 * @param fields as they stand in the file, unknown ones among them
 * @param offset where the chunk begins, in bytes from the start of the stream; 0 if it was not read
 *     from one
 */
public record StateChunk(
    String type, String path, int version, boolean critical, FieldMap fields, long offset) {

  /** Refuses a version below 1. */
  public StateChunk {
    if (version < 1) {
      throw new IllegalArgumentException(
          "state of '%s': version %d is less than 1".formatted(path, version));
    }
  }

  /** The critical state of a thing in the present version of its schema. */
  public static <R extends Record> StateChunk of(
      String type, String path, RecordSchema<R> schema, R state) {
    return new StateChunk(type, path, schema.version(), true, schema.toFields(state), 0);
  }

  /**
   * The record these fields stand for, upgraded where they are of an older version.
   *
   * @throws SnapshotException.TooOld if no upgrade leads from there to the present version
   * @throws SnapshotException.TooNew if the version is newer than the schema's
   * @throws SnapshotException.Corrupt if the fields don't make the record; the message names the
   *     field
   */
  public <R extends Record> R decode(RecordSchema<R> schema) {
    String what = "state of '" + path + "' (" + type + ")";
    return Fields.decode(schema, version, fields, what, offset);
  }
}
