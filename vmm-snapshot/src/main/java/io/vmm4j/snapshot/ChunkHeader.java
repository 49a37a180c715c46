package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;

/**
 * The header of a chunk, its checksum right.
 *
 * @param kind what the chunk is
 * @param critical whether a reader that does not know the kind must refuse the snapshot
 * @param length of the body in bytes
 * @param fields all fields of the header, those above among them
 * @param offset where the chunk begins, in bytes from the start of the stream
 * @param bytes the length of the header
 * @param values how many values the fields have
 */
record ChunkHeader(
    String kind,
    boolean critical,
    long length,
    FieldMap fields,
    long offset,
    int bytes,
    int values) {

  /** The type and path of the header, as far as it has them. */
  String name() {
    StringBuilder name = new StringBuilder();
    for (String field : new String[] {"type", "path", "region"}) {
      if (fields.has(field) && fields.get(field) instanceof String text) {
        name.append(name.isEmpty() ? "" : " ").append(text);
      }
    }
    return name.toString();
  }
}
