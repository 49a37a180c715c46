package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.state.FieldMap;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What can be specified can be saved, and what can be saved can be read within the standard limits:
 * the most RAM together with the most device memory. Hardly any of it is more than zeros.
 */
class LargestMachineTest {
  private static final long RAM = VmSpec.MAX_MEMORY.bytes();
  private static final long DEVICES = VmSpec.MAX_DEVICE_MEMORY.bytes();
  private static final int BLOCK = SnapshotFormat.BLOCK_BYTES;
  private static final int PAGE = SnapshotFormat.PAGE_BYTES;

  /** Every so manieth block has a page with its number. */
  private static final int MARKED = 97;

  @TempDir private Path directory;

  private static MachineDescription machine() {
    MachineDescription sample = SampleSnapshot.machine(RAM);
    return new MachineDescription(
        sample.name(),
        RAM,
        sample.cpus(),
        sample.board(),
        sample.devices(),
        sample.clock(),
        sample.tscFrequencyHz(),
        sample.startTime(),
        sample.cpuid(),
        sample.randomSeed(),
        sample.consoleLimitBytes(),
        sample.backend(),
        List.of(
            new MachineDescription.Region(MachineDescription.RAM, RAM),
            new MachineDescription.Region(SampleSnapshot.ROM, DEVICES)),
        sample.memoryMap());
  }

  /** Zeros, but for a page in the middle of each marked block. */
  private static MemorySource marked(long size) {
    return new MemorySource() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public MemorySegment piece(long offset, MemorySegment buffer, int length) {
        MemorySegment piece = buffer.asSlice(0, length).fill((byte) 0);
        piece.set(ValueLayout.JAVA_LONG, 300 * PAGE + 8, offset);
        return piece;
      }

      @Override
      public boolean isZero(long offset, int length) {
        return offset / BLOCK % MARKED != 0;
      }
    };
  }

  private static byte[] written() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.FAST)) {
      writer.prologue(SampleSnapshot.PROLOGUE);
      writer.machine(machine());
      writer.memory(MachineDescription.RAM, marked(RAM));
      writer.memory(SampleSnapshot.ROM, marked(DEVICES));
      writer.finish();
    }
    return out.toByteArray();
  }

  /** Memory of any size, in a sparse file. */
  private static MemorySink sparse(SharedFile file, Arena arena, Map<String, MemorySegment> made) {
    return machine -> {
      try {
        long total = machine.totalMemoryBytes();
        file.setSize(total);
        MemorySegment whole = file.map(FileChannel.MapMode.READ_WRITE, 0, total, arena);
        long at = 0;
        for (MachineDescription.Region region : machine.regions()) {
          made.put(region.name(), whole.asSlice(at, region.bytes()));
          at += region.bytes();
        }
        return made;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
  }

  @Test
  void theLargestMachineIsReadWithinTheStandardLimits() throws IOException {
    byte[] bytes = written();
    Map<String, MemorySegment> memory = new LinkedHashMap<>();
    try (SharedFile file = SharedFile.unnamed(directory);
        Arena arena = Arena.ofShared()) {
      // when
      SnapshotPlan plan =
          new SnapshotReader(new ByteArrayInputStream(bytes), SnapshotLimits.standard())
              .read(sparse(file, arena, memory));

      // then
      assertThat(plan.machine()).isEqualTo(machine());
      memory.forEach((region, contents) -> {
        for (long block = 0; block < contents.byteSize(); block += (long) MARKED * BLOCK) {
          assertThat(contents.get(ValueLayout.JAVA_LONG, block + 300 * PAGE + 8)).isEqualTo(block);
        }
      });
    }
  }

  /** As many blocks as there can be, each described by as many runs of pages as there can be. */
  @Test
  void memoryInAsManyPiecesAsCanBeIsRead() throws IOException {
    List<Long> runs = new ArrayList<>();
    for (int page = 0; page < BLOCK / PAGE; page++) {
      runs.add((long) SnapshotFormat.PAGE_ZERO);
      runs.add(1L);
    }
    int blocks = (int) ((RAM + DEVICES) / BLOCK);
    MemoryDigest zeros = new MemoryDigest.Builder(machine().regions(), Optional.empty()).build();
    Path file = directory.resolve("forged");
    try (var bytes = new BufferedOutputStream(Files.newOutputStream(file))) {
      ChunkOutput out = new ChunkOutput(bytes);
      out.prologue(Forgery.prologue());
      out.chunk(
          "machine", true, FieldMap.of(Map.of("version", 1L)), MachineCodec.toFields(machine()));
      for (int block = 0; block < blocks; block++) {
        long at = (long) block * BLOCK;
        FieldMap header =
            Forgery.fields(
                "region",
                at < RAM ? MachineDescription.RAM : SampleSnapshot.ROM,
                "offset",
                at < RAM ? at : at - RAM,
                "compression",
                "none",
                "pages",
                runs);
        out.chunk("memory", true, header, new byte[0], 0, 0);
      }
      out.chunk(
          "footer",
          true,
          FieldMap.of(Map.of()),
          PrologueCodec.footerFields(
              new SnapshotDigest(blocks + 1, out.count(), out.endDigest(), zeros.sha256())));
      out.flush();
    }
    Map<String, MemorySegment> memory = new LinkedHashMap<>();
    try (SharedFile room = SharedFile.unnamed(directory);
        Arena arena = Arena.ofShared();
        var in = new BufferedInputStream(Files.newInputStream(file))) {
      // when
      SnapshotPlan plan =
          new SnapshotReader(in, SnapshotLimits.standard()).read(sparse(room, arena, memory));

      // then
      assertThat(plan.digest().chunkCount()).isEqualTo(blocks + 1);
    }
  }
}
