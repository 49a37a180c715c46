package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A machine's memory that changes, and a snapshot of it now and then, each a delta to the last. */
final class Chain {

  /** A snapshot of the chain. */
  record Link(UUID id, byte[] bytes, MemoryDigest digest) {}

  /** What a resolver gave, to see that all of it was closed. */
  static final class Streams {
    int opened;
    int open;
    int mostOpen;

    InputStream of(byte[] bytes) {
      opened++;
      open++;
      mostOpen = Math.max(mostOpen, open);
      return new ByteArrayInputStream(bytes) {
        private boolean closed;

        @Override
        public void close() {
          open -= closed ? 0 : 1;
          closed = true;
        }
      };
    }
  }

  final List<Link> links = new ArrayList<>();
  final Streams streams = new Streams();
  final Map<String, MemorySegment> memory = new LinkedHashMap<>();
  private final Map<String, BitSet> dirty = new LinkedHashMap<>();
  private final List<MachineDescription.Region> regions = new ArrayList<>();
  private final SnapshotCompression compression;

  Chain(SnapshotCompression compression, long ramBytes) {
    this.compression = compression;
    addRegion(MachineDescription.RAM, ramBytes);
  }

  /** A region of zeros more, from now on. */
  void addRegion(String name, long bytes) {
    regions.add(new MachineDescription.Region(name, bytes));
    memory.put(name, Arena.ofAuto().allocate(bytes, 4096));
    dirty.put(name, new BitSet());
  }

  /** A page of a region that is about to be written to. */
  MemorySegment touch(String region, int page) {
    dirty.get(region).set(page);
    return memory.get(region).asSlice(page * 4096L, 4096);
  }

  MachineDescription machine() {
    return machine(regions);
  }

  static MachineDescription machine(List<MachineDescription.Region> regions) {
    MachineDescription m = SampleSnapshot.machine(regions.getFirst().bytes());
    return new MachineDescription(
        m.name(),
        m.memoryBytes(),
        m.cpus(),
        m.board(),
        List.of(),
        m.clock(),
        m.tscFrequencyHz(),
        m.startTime(),
        m.cpuid(),
        m.randomSeed(),
        m.consoleLimitBytes(),
        m.backend(),
        regions,
        m.memoryMap());
  }

  /** Takes a snapshot: whole if it is the first, else a delta. */
  Link snapshot() throws IOException {
    UUID id = UUID.randomUUID();
    Prologue prologue = Prologue.of(id, Instant.EPOCH, "vmm4j", "test");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = new SnapshotWriter(out, compression)) {
      if (links.isEmpty()) {
        writer.prologue(prologue);
      } else {
        Link parent = links.getLast();
        writer.prologue(prologue.withParent(parent.id(), parent.digest()), parent.digest());
      }
      writer.machine(machine());
      writer.state(SampleSnapshot.uart());
      for (MachineDescription.Region region : regions) {
        writer.memory(
            region.name(),
            MemorySource.of(memory.get(region.name())),
            ChangedPages.of(dirty.get(region.name())));
      }
      writer.finish();
      links.add(new Link(id, out.toByteArray(), writer.memoryDigest()));
    }
    dirty.values().forEach(BitSet::clear);
    return links.getLast();
  }

  /** Finds the snapshots of this chain. */
  SnapshotResolver resolver() {
    return (id, memorySha256) -> {
      Optional<Link> link = links.stream().filter(l -> l.id().equals(id)).findFirst();
      return streams.of(
          link.orElseThrow(() -> new SnapshotException.MissingParent(id.toString())).bytes());
    };
  }

  SampleSnapshot.Read read(byte[] newest) throws IOException {
    return read(newest, resolver());
  }

  static SampleSnapshot.Read read(byte[] newest, SnapshotResolver resolver) throws IOException {
    Map<String, MemorySegment> memory = new LinkedHashMap<>();
    SnapshotPlan plan =
        new SnapshotReader(new ByteArrayInputStream(newest), SnapshotLimits.standard())
            .read(
                machine -> {
                  for (MachineDescription.Region region : machine.regions()) {
                    memory.put(region.name(), Arena.ofAuto().allocate(region.bytes(), 4096));
                  }
                  return memory;
                },
                resolver);
    return new SampleSnapshot.Read(plan, memory);
  }
}
