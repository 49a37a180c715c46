package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A snapshot taken apart. Its parts can be changed into anything and are put together again with
 * lengths, checksums and digests that are right, so that what is wrong is not found by those.
 *
 * <p>The parts are also a file of their own, for a fuzzer that knows nothing of framing: it begins
 * with {@link #MAGIC}, and separators stand between the fields of the prologue, those of each
 * header and the body behind it, and those of the footer. So bytes may come and go within a part.
 */
final class SnapshotParts {

  /** A chunk: the encoded fields of its header, and its body. */
  record Part(byte[] header, boolean tagged, byte[] body) {}

  /** How a file of parts begins. */
  private static final byte[] MAGIC = "parts\n".getBytes(StandardCharsets.US_ASCII);

  private static final byte[] SEPARATOR = "\n#~\n".getBytes(StandardCharsets.US_ASCII);

  /** What a body begins with in a file of parts, if it is fields. */
  private static final byte TAGGED = 'f';

  private static final byte PLAIN = 'b';

  /** The most bytes that come before a memory image on account of the padding. */
  private static final int PADDING = 256;

  private static final int TAG_ENCODED = 0xD8;

  byte[] prologue = new byte[0];
  final List<Part> parts = new ArrayList<>();
  byte[] footer = new byte[0];

  private SnapshotParts() {}

  /** Takes a snapshot apart whose framing is right. */
  static SnapshotParts of(byte[] whole) throws IOException {
    SnapshotParts taken = new SnapshotParts();
    ChunkInput in =
        new ChunkInput(new ByteArrayInputStream(whole), SnapshotLimits.standard(), budget());
    taken.prologue = CborFields.encode(in.prologue());
    ChunkHeader header = in.header();
    while (!header.kind().equals(SnapshotFormat.FOOTER)) {
      ChunkInput.AnyBody body = in.anyBody(header);
      taken.parts.add(
          new Part(CborFields.encode(header.fields()), body.tagged(), body.bytes().bytes()));
      header = in.header();
    }
    taken.footer = CborFields.encode(in.fieldsBody(header));
    return taken;
  }

  /** The parts of a file of parts; absent if the bytes do not begin as one. */
  static Optional<SnapshotParts> parse(byte[] file) {
    if (file.length < MAGIC.length
        || !Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return Optional.empty();
    }
    List<byte[]> pieces = split(Arrays.copyOfRange(file, MAGIC.length, file.length));
    SnapshotParts parsed = new SnapshotParts();
    parsed.prologue = pieces.getFirst();
    for (int i = 1; i + 1 < pieces.size(); i += 2) {
      byte[] body = pieces.get(i + 1);
      boolean tagged = body.length > 0 && body[0] == TAGGED;
      byte[] rest = body.length == 0 ? body : Arrays.copyOfRange(body, 1, body.length);
      parsed.parts.add(new Part(pieces.get(i), tagged, rest));
    }
    parsed.footer = pieces.size() % 2 == 0 ? pieces.getLast() : new byte[0];
    return Optional.of(parsed);
  }

  private static List<byte[]> split(byte[] bytes) {
    List<byte[]> pieces = new ArrayList<>();
    int from = 0;
    for (int at = 0; at + SEPARATOR.length <= bytes.length; at++) {
      // A fuzzer watches the comparison of arrays, which is slow: not at every byte.
      if (bytes[at] == SEPARATOR[0]
          && Arrays.equals(bytes, at, at + SEPARATOR.length, SEPARATOR, 0, SEPARATOR.length)) {
        pieces.add(Arrays.copyOfRange(bytes, from, at));
        from = at + SEPARATOR.length;
        at = from - 1;
      }
    }
    pieces.add(Arrays.copyOfRange(bytes, from, bytes.length));
    return pieces;
  }

  /** The file of these parts. */
  byte[] file() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(MAGIC);
    out.writeBytes(prologue);
    for (Part part : parts) {
      out.writeBytes(SEPARATOR);
      out.writeBytes(part.header);
      out.writeBytes(SEPARATOR);
      out.write(part.tagged ? TAGGED : PLAIN);
      out.writeBytes(part.body);
    }
    out.writeBytes(SEPARATOR);
    out.writeBytes(footer);
    return out.toByteArray();
  }

  /** The snapshot of these parts; its digest of the memory is what the footer's fields say. */
  byte[] snapshot() {
    return snapshot(fields -> fields);
  }

  /** The snapshot of these parts, with a digest of the memory. */
  byte[] snapshot(MemoryDigest memory) {
    byte[] sha256 = java.util.HexFormat.of().parseHex(memory.sha256());
    return snapshot(fields -> mended(fields, "memorySha256", sha256));
  }

  private byte[] snapshot(java.util.function.UnaryOperator<FieldMap> footerFields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SnapshotFormat.MAGIC);
    string(out, prologue);
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      byte[] body = part.body;
      if (is(part, SnapshotFormat.PADDING)
          && i + 1 < parts.size()
          && is(parts.get(i + 1), SnapshotFormat.MEMORY_IMAGE)) {
        body = new byte[padding(out.size(), part, parts.get(i + 1))];
      }
      chunk(out, part.header, part.tagged, body);
    }
    byte[] ending = footer;
    Optional<FieldMap> fields = decode(footer);
    if (fields.isPresent()) {
      FieldMap f = mended(fields.get(), "chunks", (long) parts.size());
      f = mended(f, "bytes", (long) out.size());
      f = mended(f, "sha256", ChunkOutput.sha256().digest(out.toByteArray()));
      ending = CborFields.encode(footerFields.apply(f));
    }
    byte[] header =
        CborFields.encode(
            Forgery.fields("kind", SnapshotFormat.FOOTER, "critical", true, "length", 0L));
    chunk(out, header, true, ending);
    return out.toByteArray();
  }

  /** How much padding lets the body of the memory image behind it begin at a page. */
  private static int padding(int at, Part padding, Part image) {
    ByteArrayOutputStream before = new ByteArrayOutputStream();
    chunk(before, padding.header, padding.tagged, new byte[PADDING]);
    ByteArrayOutputStream with = new ByteArrayOutputStream();
    chunk(with, image.header, image.tagged, image.body);
    int begins = at + before.size() + with.size() - image.body.length - ChunkOutput.CRC_BYTES;
    return PADDING + (-begins & (SnapshotFormat.PAGE_BYTES - 1));
  }

  private static boolean is(Part part, String kind) {
    return decode(part.header)
        .filter(fields -> fields.has("kind") && fields.get("kind").equals(kind))
        .isPresent();
  }

  private static void chunk(ByteArrayOutputStream out, byte[] header, boolean tagged, byte[] body) {
    out.write(ChunkOutput.ARRAY << 5 | 4);
    byte[] fields =
        decode(header)
            .map(decoded -> CborFields.encode(mended(decoded, "length", (long) body.length)))
            .orElse(header);
    tag(out);
    string(out, fields);
    if (tagged) {
      tag(out);
    }
    string(out, body);
  }

  private static void tag(ByteArrayOutputStream out) {
    out.write(TAG_ENCODED);
    out.write(ChunkOutput.TAG_ENCODED);
  }

  /** A byte string with its shortest head, and its checksum. */
  private static void string(ByteArrayOutputStream out, byte[] bytes) {
    int head = ChunkOutput.BYTES << 5;
    if (bytes.length < 24) {
      out.write(head | bytes.length);
    } else if (bytes.length < 1 << 8) {
      out.write(head | 24);
      out.write(bytes.length);
    } else if (bytes.length < 1 << 16) {
      out.write(head | 25);
      out.writeBytes(ByteBuffer.allocate(2).putShort((short) bytes.length).array());
    } else {
      out.write(head | 26);
      out.writeBytes(ByteBuffer.allocate(4).putInt(bytes.length).array());
    }
    out.writeBytes(bytes);
    out.write(head | 4);
    out.writeBytes(ByteBuffer.allocate(4).putInt(Forgery.crc(bytes)).array());
  }

  /** A field put right; one that is not there, or is of another type, stays so. */
  private static FieldMap mended(FieldMap fields, String name, Object value) {
    return fields.has(name) && fields.get(name).getClass() == value.getClass()
        ? fields.with(name, value)
        : fields;
  }

  /** Encoded fields, if they are. */
  static Optional<FieldMap> decode(byte[] encoded) {
    try {
      return Optional.of(CborFields.decode(encoded, 0, budget()));
    } catch (SnapshotException e) {
      return Optional.empty();
    }
  }

  private static CborFields.Budget budget() {
    return new CborFields.Budget(SnapshotReader.MAX_VALUES);
  }
}
