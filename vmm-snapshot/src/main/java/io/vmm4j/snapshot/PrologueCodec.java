package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Turns {@link Prologue} and footer into fields and back. These are read for ever by every version,
 * so their names and types never change; unknown ones are passed over.
 */
final class PrologueCodec {
  private PrologueCodec() {}

  static FieldMap toFields(Prologue prologue) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("major", (long) prologue.major());
    fields.put("minor", (long) prologue.minor());
    fields.put("id", prologue.id().toString());
    prologue
        .parent()
        .ifPresent(parent -> {
          fields.put("parentId", parent.id().toString());
          fields.put("parentSha256", HexFormat.of().parseHex(parent.sha256()));
        });
    fields.put("producer", prologue.producer());
    fields.put("producerVersion", prologue.producerVersion());
    fields.put("createdEpochMillis", prologue.created().toEpochMilli());
    fields.put("features", prologue.features());
    return FieldMap.of(fields);
  }

  /**
   * The prologue, refusing what this version can't read.
   *
   * @param offset where the prologue begins
   */
  static Prologue fromFields(FieldMap fields, long offset) {
    int major = Fields.smallInteger(fields, "major", 0, Integer.MAX_VALUE, offset);
    if (major < SnapshotFormat.OLDEST_MAJOR) {
      throw new SnapshotException.TooOld("the container", major, SnapshotFormat.OLDEST_MAJOR);
    }
    if (major > SnapshotFormat.MAJOR) {
      throw new SnapshotException.TooNew("the container", major, SnapshotFormat.MAJOR);
    }
    Optional<Prologue.Parent> parent =
        fields.has("parentId")
            ? Optional.of(
                new Prologue.Parent(
                    uuid(fields, "parentId", offset),
                    HexFormat.of().formatHex(Fields.bytes(fields, "parentSha256", 32, offset))))
            : Optional.empty();
    return new Prologue(
        major,
        Fields.smallInteger(fields, "minor", 0, Integer.MAX_VALUE, offset),
        uuid(fields, "id", offset),
        parent,
        Fields.text(fields, "producer", offset),
        Fields.text(fields, "producerVersion", offset),
        Instant.ofEpochMilli(
            Fields.integer(fields, "createdEpochMillis", Long.MIN_VALUE, Long.MAX_VALUE, offset)),
        features(fields, offset));
  }

  private static List<String> features(FieldMap fields, long offset) {
    List<String> features = new ArrayList<>();
    if (fields.has("features")) {
      if (!(fields.get("features") instanceof List<?> list)) {
        throw Fields.wrong("features", "a list", fields.get("features"), offset);
      }
      for (Object element : list) {
        if (!(element instanceof String feature)) {
          throw Fields.wrong("features", "a name", element, offset);
        }
        features.add(feature);
      }
    }
    return features;
  }

  private static UUID uuid(FieldMap fields, String name, long offset) {
    String text = Fields.text(fields, name, offset);
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw Fields.wrong(name, "a UUID", text, offset);
    }
  }

  static FieldMap footerFields(SnapshotDigest digest) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("chunks", digest.chunkCount());
    fields.put("bytes", digest.byteCount());
    fields.put("sha256", HexFormat.of().parseHex(digest.sha256()));
    fields.put("memorySha256", HexFormat.of().parseHex(digest.memorySha256()));
    return FieldMap.of(fields);
  }

  static SnapshotDigest footer(FieldMap fields, long offset) {
    return new SnapshotDigest(
        Fields.integer(fields, "chunks", 0, Long.MAX_VALUE, offset),
        Fields.integer(fields, "bytes", 0, Long.MAX_VALUE, offset),
        HexFormat.of().formatHex(Fields.bytes(fields, "sha256", 32, offset)),
        HexFormat.of().formatHex(Fields.bytes(fields, "memorySha256", 32, offset)));
  }
}
