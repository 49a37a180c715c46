package io.vmm4j.snapshot;

import io.vmm4j.api.device.GuestAccess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where the guest sees which memory: the RAM as the machine's memory map has it, and over it the
 * mappings of device memory. Immutable once built.
 */
final class GuestAddressSpace {

  /** No processor has more bits of physical address. */
  private static final long END = 1L << 52;

  private final TreeMap<Long, SnapshotInspector.MemoryRange> ranges = new TreeMap<>();

  GuestAddressSpace(MachineDescription machine, List<MappingState> mappings) {
    for (MachineDescription.Range range : machine.memoryMap()) {
      put(
          new SnapshotInspector.MemoryRange(
              range.guestPhysicalAddress(),
              range.length(),
              range.region(),
              range.regionOffset(),
              GuestAccess.READ_WRITE));
    }
    for (MappingState mapping : mappings) {
      if (mapping.access() != GuestAccess.OFF) {
        put(
            new SnapshotInspector.MemoryRange(
                mapping.guestPhysicalAddress(),
                mapping.length(),
                MachineDescription.deviceRegion(mapping.path(), mapping.memory()),
                mapping.offset(),
                mapping.access()));
      }
    }
  }

  /** All ranges, by address; they don't overlap. */
  List<SnapshotInspector.MemoryRange> ranges() {
    return List.copyOf(ranges.values());
  }

  /** The range an address is in. */
  Optional<SnapshotInspector.MemoryRange> at(long address) {
    Map.Entry<Long, SnapshotInspector.MemoryRange> below = ranges.floorEntry(address);
    return below != null && address < below.getValue().end()
        ? Optional.of(below.getValue())
        : Optional.empty();
  }

  /** Lays a range over those that are there. */
  private void put(SnapshotInspector.MemoryRange range) {
    long from = range.guestPhysicalAddress();
    if (from < 0 || from >= END || range.length() > END - from) {
      return; // No guest reaches it.
    }
    List<SnapshotInspector.MemoryRange> rest = new ArrayList<>();
    Map.Entry<Long, SnapshotInspector.MemoryRange> below = ranges.lowerEntry(range.end());
    while (below != null && below.getValue().end() > from) {
      SnapshotInspector.MemoryRange old = below.getValue();
      ranges.remove(below.getKey());
      if (old.guestPhysicalAddress() < from) {
        rest.add(old.cut(old.guestPhysicalAddress(), from));
      }
      if (old.end() > range.end()) {
        rest.add(old.cut(range.end(), old.end()));
      }
      below = ranges.lowerEntry(range.end());
    }
    rest.forEach(piece -> ranges.put(piece.guestPhysicalAddress(), piece));
    ranges.put(from, range);
  }
}
