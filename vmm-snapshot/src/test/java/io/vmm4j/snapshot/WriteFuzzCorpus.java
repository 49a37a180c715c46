package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Writes the corpus of {@link SnapshotFuzzTest}. Not among the tests: run with {@code -Dtest} and
 * {@code -Dvmm4j.corpus=DIRECTORY}. Files that are there stay.
 */
class WriteFuzzCorpus {

  @Test
  void writesThoseThatAreNotThere() throws IOException {
    String name = System.getProperty("vmm4j.corpus");
    assumeTrue(name != null, "no directory is given by -Dvmm4j.corpus");
    Path directory = Files.createDirectories(Path.of(name));
    for (SnapshotCompression compression : SnapshotCompression.values()) {
      write(directory, "whole-" + compression.name().toLowerCase(Locale.ROOT), small(compression));
    }
    byte[] body = {1, 2, 3};
    write(
        directory,
        "unknown-chunks",
        Forgery.of(
            2,
            out -> {
              out.chunk("remark", false, Forgery.fields("path", "p"), Forgery.fields("by", "me"));
              out.chunk("blob", false, FieldMap.of(Map.of()), body, 3, Forgery.crc(body));
            }));
    Chain chain = new Chain(SnapshotCompression.FAST, 32 << 10);
    chain.touch(MachineDescription.RAM, 1).fill((byte) 1);
    write(directory, FuzzTargets.PARENT, chain.snapshot().bytes());
    chain.touch(MachineDescription.RAM, 2).fill((byte) 2);
    write(directory, "delta", chain.snapshot().bytes());
    ByteArrayOutputStream mapped = new ByteArrayOutputStream();
    try (SnapshotWriter writer = SnapshotWriter.mapped(mapped)) {
      MemorySegment ram = MemorySegment.ofArray(new long[2 * 512]);
      ram.fill((byte) 3);
      writer.prologue(SampleSnapshot.PROLOGUE);
      writer.machine(SampleSnapshot.machine(ram.byteSize()));
      writer.state(SampleSnapshot.uart());
      writer.memory(MachineDescription.RAM, MemorySource.of(ram));
      writer.memory(SampleSnapshot.ROM, MemorySource.of(ram));
      writer.finish();
    }
    write(directory, "mapped", mapped.toByteArray());
    byte[] whole = small(SnapshotCompression.NONE);
    write(directory, "bad-truncated", Arrays.copyOf(whole, whole.length / 2));
    write(
        directory, "bad-magic", "no snapshot\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    byte[] flipped = whole.clone();
    flipped[flipped.length / 2] ^= 1;
    write(directory, "bad-flipped", flipped);
    write(
        directory,
        "bad-checksum",
        Forgery.of(1, out -> out.chunk("blob", false, FieldMap.of(Map.of()), body, 3, 0)));
  }

  private static byte[] small(SnapshotCompression compression) throws IOException {
    MemorySegment ram = MemorySegment.ofArray(new long[5 * 512]);
    ram.asSlice(4096, 4096).fill((byte) 0x90);
    SampleSnapshot.fill(ram.asSlice(8192, 3 * 4096), 4);
    return SampleSnapshot.write(compression, ram, MemorySegment.ofArray(new long[2 * 512]));
  }

  private static void write(Path directory, String name, byte[] bytes) throws IOException {
    Path file = directory.resolve(name + ".vmm");
    if (Files.notExists(file)) {
      Files.write(file, bytes, StandardOpenOption.CREATE_NEW);
      assertThat(file).isNotEmptyFile();
    }
    Path parts = directory.resolve(name + ".parts");
    if (!name.startsWith("bad-") && Files.notExists(parts)) {
      byte[] taken = SnapshotParts.of(Files.readAllBytes(file)).file();
      assertThat(SnapshotParts.parse(taken).orElseThrow().snapshot())
          .isEqualTo(Files.readAllBytes(file));
      Files.write(parts, taken, StandardOpenOption.CREATE_NEW);
    }
  }
}
