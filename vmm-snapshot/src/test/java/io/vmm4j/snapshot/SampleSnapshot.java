package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.backend.PendingEvents;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;

/** A small snapshot with one of everything. */
final class SampleSnapshot {
  static final String ROM = MachineDescription.deviceRegion("bootrom", "rom");
  static final long RAM_BYTES = 64 << 10;
  static final long ROM_BYTES = 8 << 10;

  /** A fixed identity and time, so that two writings give the same bytes. */
  static final Prologue PROLOGUE =
      new Prologue(
          1,
          0,
          UUID.fromString("01234567-89ab-cdef-0123-456789abcdef"),
          Optional.empty(),
          "vmm4j",
          "test",
          Instant.parse("2026-01-02T03:04:05.678Z"),
          List.of());

  private SampleSnapshot() {}

  static MachineDescription machine(long ramBytes) {
    return new MachineDescription(
        "sample",
        ramBytes,
        1,
        "pc",
        List.of(
            new MachineDescription.Device(
                "com1", "uart16550", 2, FieldMap.of(Map.of("port", 0x3F8L))),
            new MachineDescription.Device("bootrom", "bootrom", 1, FieldMap.of(Map.of()))),
        ClockMode.VIRTUAL,
        1_000_000_000L,
        Instant.parse("2020-02-03T04:05:06.000000007Z"),
        List.of(new CpuidLeaf(0, -1, 13, 0x756E6547, 0x6C65746E, 0x49656E69)),
        42,
        16 << 20,
        "software",
        List.of(
            new MachineDescription.Region(MachineDescription.RAM, ramBytes),
            new MachineDescription.Region(ROM, ROM_BYTES)),
        List.of(new MachineDescription.Range(0, ramBytes, MachineDescription.RAM, 0)));
  }

  static CpuState cpu() {
    SegmentState segment = new SegmentState(8, -1L << 32, 0xFFFF_FFFFL, 0xA09B);
    TableState table = new TableState(0xFFFF_8000_0000_0000L, 0xFFF);
    byte[] xsave = new byte[576];
    new Random(1).nextBytes(xsave);
    return new CpuState(
        IntStream.range(0, 16).mapToLong(i -> -1L << (4 * i)).toArray(),
        0xFFFF_FFFF_8100_0000L,
        2,
        segment,
        segment,
        segment,
        segment,
        segment,
        segment,
        segment,
        segment,
        table,
        table,
        0x8005_0033L,
        -1,
        0x1000,
        0x6F0,
        new long[] {0, 1, 2, 3, 0xFFFF0FF0L, 0x400},
        3,
        xsave,
        List.of(new MsrState(0x10, 5), new MsrState(0xC000_0080, 0xD01)),
        PendingEvents.none(),
        ActivityState.HALTED,
        new LocalApicState(0, IntStream.range(0, 64).map(i -> -i).toArray(), 123, true, true, 0x40),
        987_654_321L);
  }

  static StateChunk uart() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("ier", 1L);
    fields.put("negative", -5L);
    fields.put("least", Long.MIN_VALUE);
    fields.put("most", Long.MAX_VALUE);
    fields.put("open", true);
    fields.put("name", "ttyS0 ü €");
    fields.put("fifo", new byte[] {1, 2, 3});
    fields.put("list", List.of(1L, List.of("a", false), FieldMap.of(Map.of("x", 0L))));
    fields.put("empty", List.of());
    return new StateChunk("uart16550", "com1", 3, true, FieldMap.of(fields), 0);
  }

  static MappingState mapping() {
    return new MappingState(
        "bootrom", "rom", "low", 4096, 4096, 0xFFFF_F000L, GuestAccess.READ_ONLY);
  }

  /** Memory with zero, fill, compressible and incompressible pages. */
  static void fill(MemorySegment memory, long seed) {
    Random random = new Random(seed);
    for (long page = 0; page < memory.byteSize(); page += 4096) {
      MemorySegment slice = memory.asSlice(page, 4096);
      switch (random.nextInt(5)) {
        case 0 -> slice.fill((byte) 0xCC);
        case 1 -> {
          byte[] noise = new byte[4096];
          random.nextBytes(noise);
          MemorySegment.copy(noise, 0, slice, ValueLayout.JAVA_BYTE, 0, 4096);
        }
        case 2 -> {
          for (int i = 0; i < 4096; i += 8) {
            slice.set(ValueLayout.JAVA_LONG_UNALIGNED, i, 0x0102030405060708L);
          }
        }
        case 3 -> {
          for (int i = 0; i < 4096; i++) {
            slice.set(ValueLayout.JAVA_BYTE, i, (byte) (i % 7));
          }
        }
        default -> {
          // Zeros.
        }
      }
    }
  }

  static MemorySegment ram(long bytes) {
    MemorySegment ram = Arena.ofAuto().allocate(bytes, 4096);
    fill(ram, bytes);
    return ram;
  }

  static byte[] write(SnapshotCompression compression, MemorySegment ram, MemorySegment rom)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = new SnapshotWriter(out, compression)) {
      writer.prologue(PROLOGUE);
      writer.machine(machine(ram.byteSize()));
      writer.state(uart());
      writer.state(StateChunk.of("vcpu", "vcpu/0", MachineSchemas.CPU, cpu()));
      writer.mapping(mapping());
      writer.memory(MachineDescription.RAM, MemorySource.of(ram));
      writer.memory(ROM, MemorySource.of(rom));
      writer.finish();
    }
    return out.toByteArray();
  }

  static byte[] bytes(SnapshotCompression compression) throws IOException {
    return write(compression, ram(RAM_BYTES), ram(ROM_BYTES));
  }

  /** A snapshot that was read, with its memory. */
  record Read(SnapshotPlan plan, Map<String, MemorySegment> memory) {

    /** The same, written again. */
    byte[] write(SnapshotCompression compression) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (SnapshotWriter writer = new SnapshotWriter(out, compression)) {
        writer.keep(plan.leftovers());
        writer.prologue(plan.prologue());
        writer.machine(plan.machine());
        for (StateChunk state : plan.states()) {
          writer.state(state);
        }
        for (MappingState mapping : plan.mappings()) {
          writer.mapping(mapping);
        }
        for (MachineDescription.Region region : plan.machine().regions()) {
          writer.memory(region.name(), MemorySource.of(memory.get(region.name())));
        }
        writer.finish();
      }
      return out.toByteArray();
    }
  }

  static Read read(byte[] bytes) throws IOException {
    return read(new ByteArrayInputStream(bytes));
  }

  static Read read(InputStream in) throws IOException {
    Map<String, MemorySegment> memory = new LinkedHashMap<>();
    SnapshotPlan plan =
        new SnapshotReader(in, SnapshotLimits.standard())
            .read(machine -> {
              for (MachineDescription.Region region : machine.regions()) {
                memory.put(region.name(), Arena.ofAuto().allocate(region.bytes(), 4096));
              }
              return memory;
            });
    return new Read(plan, memory);
  }
}
