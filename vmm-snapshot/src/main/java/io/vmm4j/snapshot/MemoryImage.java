package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import java.util.List;

/**
 * Where a memory image is.
 *
 * @param position of its first byte, from the start of the stream
 * @param bytes its length
 */
record MemoryImage(long position, long bytes) {

  /** Refuses a header that does not list the machine's regions, one after the other. */
  static void check(ChunkHeader header, MachineDescription machine) {
    long at = header.offset();
    if (!header.fields().has("regions")
        || !(header.fields().get("regions") instanceof List<?> places)
        || places.size() != machine.regions().size()) {
      throw new SnapshotException.Corrupt(at, "the memory image has not the machine's regions");
    }
    long offset = 0;
    for (int i = 0; i < places.size(); i++) {
      MachineDescription.Region region = machine.regions().get(i);
      if (!(places.get(i) instanceof FieldMap place)) {
        throw Fields.wrong("regions", "a region", places.get(i), at);
      }
      String name = Fields.text(place, "region", at);
      if (!name.equals(region.name())) {
        throw Fields.wrong("region", region.name(), name, at);
      }
      Fields.integer(place, "offset", offset, offset, at);
      Fields.integer(place, "bytes", region.bytes(), region.bytes(), at);
      offset += region.bytes();
    }
    if (header.length() != offset) {
      throw Fields.wrong("length", "that of all regions, " + offset, header.length(), at);
    }
  }

  /** Refuses an image that could not be mapped. */
  void refuseUnaligned(ChunkHeader header) {
    if (position % SnapshotFormat.PAGE_BYTES != 0) {
      throw new SnapshotException.Corrupt(
          header.offset(),
          "the memory image begins at %d, no multiple of %d"
              .formatted(position, SnapshotFormat.PAGE_BYTES));
    }
  }
}
