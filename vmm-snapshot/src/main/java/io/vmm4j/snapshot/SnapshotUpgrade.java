package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Writes a snapshot anew with every state, mapping and configuration in the newest version of its
 * schema. The id, the memory, a delta's parent and all that is not known here stay as they are.
 * Memory is passed on chunk by chunk: the heap holds no more than one.
 *
 * {@snippet :
 * SnapshotUpgrade.Result result = SnapshotUpgrade.copy(in, out, limits, schemas);
 * }
 */
public final class SnapshotUpgrade {

  /** The schemas that are known here, apart from the machine's own. */
  public interface Schemas {
    /** That of the state of a device type. */
    Optional<RecordSchema<?>> state(String deviceType);

    /** That of the configuration of a device type. */
    Optional<RecordSchema<?>> configuration(String deviceType);
  }

  /**
   * What was upgraded.
   *
   * @param what the state, mapping or configuration
   * @param from the version it had
   * @param to the version it has
   */
  public record Change(String what, int from, int to) {}

  /**
   * What an upgrade came to.
   *
   * @param changed what was of an older version
   * @param unknown what stayed as it was since there is no schema for it here
   */
  public record Result(List<Change> changed, List<String> unknown) {
    /** Copies the lists. */
    public Result {
      changed = List.copyOf(changed);
      unknown = List.copyOf(unknown);
    }
  }

  private final ChunkInput in;
  private final ChunkOutput out;
  private final SnapshotLimits limits;
  private final Schemas schemas;
  private final List<Change> changed = new ArrayList<>();
  private final List<String> unknown = new ArrayList<>();
  private long chunks;
  private long written;

  private SnapshotUpgrade(
      InputStream in, OutputStream out, SnapshotLimits limits, Schemas schemas) {
    this.in = new ChunkInput(in, limits, new CborFields.Budget(SnapshotReader.MAX_VALUES));
    this.out = new ChunkOutput(out);
    this.limits = limits;
    this.schemas = schemas;
  }

  /**
   * Copies a snapshot. Checks what it reads by its checksums and its footer; whether it makes sense
   * as a whole, {@link SnapshotInspection} says.
   *
   * @throws SnapshotException of the kind that fits, if it is not a snapshot whose states can be
   *     upgraded here
   * @throws IOException if a stream fails
   */
  public static Result copy(
      InputStream in, OutputStream out, SnapshotLimits limits, Schemas schemas) throws IOException {
    return new SnapshotUpgrade(in, out, limits, schemas).run();
  }

  private Result run() throws IOException {
    FieldMap prologue = in.prologue();
    SnapshotReader.refuseFeatures(PrologueCodec.fromFields(prologue, 0));
    out.prologue(
        prologue
            .with("major", (long) SnapshotFormat.MAJOR)
            .with("minor", (long) SnapshotFormat.MINOR));
    while (true) {
      ChunkHeader header = in.header();
      if (header.kind().equals(SnapshotFormat.FOOTER)) {
        footer(header);
        return new Result(changed, unknown);
      }
      if (++chunks > limits.chunks()) {
        throw SnapshotReader.tooManyChunks(limits);
      }
      switch (header.kind()) {
        case SnapshotFormat.MACHINE -> machine(header);
        case SnapshotFormat.STATE -> state(header);
        case SnapshotFormat.MAPPING ->
            fields(header, Optional.of(MachineSchemas.MAPPING), "a mapping");
        // Written anew before the memory image, as long as that needs.
        case SnapshotFormat.PADDING -> in.anyBody(header);
        case SnapshotFormat.MEMORY_IMAGE -> image(header);
        default -> copy(header);
      }
    }
  }

  private void copy(ChunkHeader header) throws IOException {
    ChunkInput.AnyBody body = in.anyBody(header);
    out.chunk(header.fields(), body.tagged(), body.bytes().bytes());
    written++;
  }

  private void image(ChunkHeader header) throws IOException {
    if (header.length() > limits.memory().bytes()) {
      throw new SnapshotException.Incompatible(
          "a memory image of %d bytes".formatted(header.length()),
          "the reader's limit is " + limits.memory());
    }
    in.beginBody(header);
    MemoryImageOutput.begin(
        out,
        header.fields().without("kind").without("critical").without("length"),
        header.length());
    CRC32C crc = new CRC32C();
    for (long left = header.length(); left > 0; ) {
      byte[] piece = in.piece((int) Math.min(left, SnapshotFormat.BLOCK_BYTES));
      crc.update(piece);
      out.body(piece, piece.length);
      left -= piece.length;
    }
    in.endBody(header);
    out.endBody((int) crc.getValue());
    written += 2;
  }

  private void machine(ChunkHeader header) throws IOException {
    FieldMap fields =
        upgraded(
            MachineCodec.schema(), version(header), in.fieldsBody(header), "the machine", header);
    List<FieldMap> devices = new ArrayList<>();
    for (Object element : (List<?>) fields.get("devices")) {
      devices.add(configuration((FieldMap) element, header));
    }
    write(header, MachineCodec.schema().version(), fields.with("devices", devices));
  }

  private FieldMap configuration(FieldMap device, ChunkHeader header) {
    String type = Fields.text(device, "type", header.offset());
    String what =
        "configuration of '%s' (%s)".formatted(Fields.text(device, "path", header.offset()), type);
    int version =
        Fields.smallInteger(device, "configVersion", 1, Integer.MAX_VALUE, header.offset());
    Optional<RecordSchema<?>> schema = schemas.configuration(type);
    if (schema.isEmpty()) {
      unknown.add(what);
      return device;
    }
    FieldMap config = (FieldMap) device.get("config");
    return device
        .with("config", upgraded(schema.get(), version, config, what, header))
        .with("configVersion", (long) schema.get().version());
  }

  private void state(ChunkHeader header) throws IOException {
    String type = Fields.text(header.fields(), "type", header.offset());
    String path = Fields.text(header.fields(), "path", header.offset());
    Optional<RecordSchema<?>> schema = MachineSchemas.state(type).or(() -> schemas.state(type));
    fields(header, schema, "state of '%s' (%s)".formatted(path, type));
  }

  private void fields(ChunkHeader header, Optional<RecordSchema<?>> schema, String what)
      throws IOException {
    if (schema.isEmpty()) {
      unknown.add(what);
      copy(header);
      return;
    }
    FieldMap body = in.fieldsBody(header);
    write(
        header,
        schema.get().version(),
        upgraded(schema.get(), version(header), body, what, header));
  }

  private FieldMap upgraded(
      RecordSchema<?> schema, int version, FieldMap fields, String what, ChunkHeader header) {
    FieldMap upgraded = Fields.upgrade(schema, version, fields, what, header.offset());
    if (version != schema.version()) {
      changed.add(new Change(what, version, schema.version()));
    }
    return upgraded;
  }

  private void write(ChunkHeader header, int version, FieldMap body) throws IOException {
    out.chunk(header.fields().with("version", (long) version), true, CborFields.encode(body));
    written++;
  }

  private static int version(ChunkHeader header) {
    return Fields.smallInteger(header.fields(), "version", 1, Integer.MAX_VALUE, header.offset());
  }

  private void footer(ChunkHeader header) throws IOException {
    FieldMap fields = in.fieldsBody(header);
    SnapshotDigest stated = PrologueCodec.footer(fields, header.offset());
    if (stated.chunkCount() != chunks
        || stated.byteCount() != header.offset()
        || !stated.sha256().equals(in.endDigest())) {
      throw new SnapshotException.Corrupt(
          header.offset(), "the footer is not that of what comes before");
    }
    FieldMap footer =
        fields.with("bytes", out.count()).with("sha256", HexFormat.of().parseHex(out.endDigest()));
    out.chunk(SnapshotFormat.FOOTER, true, FieldMap.of(Map.of()), footer);
    out.flush();
  }
}
