package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/** Snapshots of any content whose checksums are right nevertheless. */
final class Forgery {

  /** Writes what it likes between machine and footer. */
  interface Chunks {
    void writeTo(ChunkOutput out) throws IOException;
  }

  /** The digest that is stated: that of the sample's memory if all of it is zeros. */
  private static final MemoryDigest ZEROS =
      new MemoryDigest.Builder(
              SampleSnapshot.machine(SampleSnapshot.RAM_BYTES).regions(), Optional.empty())
          .build();

  private Forgery() {}

  static byte[] of(FieldMap prologue, FieldMap machine, int chunkCount, Chunks chunks)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ChunkOutput out = new ChunkOutput(bytes);
    out.prologue(prologue);
    out.chunk("machine", true, FieldMap.of(Map.of("version", 1L)), machine);
    chunks.writeTo(out);
    SnapshotDigest digest =
        new SnapshotDigest(chunkCount + 1, out.count(), out.endDigest(), ZEROS.sha256());
    out.chunk("footer", true, FieldMap.of(Map.of()), PrologueCodec.footerFields(digest));
    out.flush();
    return bytes.toByteArray();
  }

  /** With the sample's prologue and machine. */
  static byte[] of(int chunkCount, Chunks chunks) throws IOException {
    return of(prologue(), machine(), chunkCount, chunks);
  }

  static FieldMap prologue() {
    return PrologueCodec.toFields(SampleSnapshot.PROLOGUE);
  }

  static FieldMap machine() {
    return MachineCodec.toFields(SampleSnapshot.machine(SampleSnapshot.RAM_BYTES));
  }

  static FieldMap fields(Object... namesAndValues) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return FieldMap.of(fields);
  }

  static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length);
    return (int) crc.getValue();
  }
}
