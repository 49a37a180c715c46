package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * Reads the frames of {@link ChunkOutput}: exactly their bytes and never one more. Only the heads
 * of byte strings are looked at here, to know how much to read; what is in the strings is decoded
 * by the CBOR library.
 */
final class ChunkInput {

  /** More than this is not allocated on the word of a length alone. */
  private static final int TRUSTED_BYTES = SnapshotFormat.BLOCK_BYTES;

  private final InputStream in;
  private final SnapshotLimits limits;
  private final CborFields.Budget budget;
  private final MessageDigest digest = ChunkOutput.sha256();
  private final ByteArrayOutputStream held = new ByteArrayOutputStream();
  private final CRC32C running = new CRC32C();
  private final byte[] small = new byte[8];
  private boolean holding;
  private boolean digesting = true;
  private long offset;
  private String inside = "before it began";

  ChunkInput(InputStream in, SnapshotLimits limits, CborFields.Budget budget) {
    this.in = in;
    this.limits = limits;
    this.budget = budget;
  }

  /** How many bytes have been read. */
  long offset() {
    return offset;
  }

  /** The fields of the prologue. */
  FieldMap prologue() throws IOException {
    byte[] magic = new byte[SnapshotFormat.MAGIC.length];
    fill(magic, 0, 1);
    inside = "inside the prologue";
    fill(magic, 1, magic.length - 1);
    if (!Arrays.equals(magic, SnapshotFormat.MAGIC)) {
      throw new SnapshotException.Corrupt(0, "this is not a vmm4j snapshot");
    }
    return fields("the prologue", headerBudget());
  }

  /** The header of the next chunk. If it is the footer's, the digest ends before it. */
  ChunkHeader header() throws IOException {
    long start = offset;
    inside = "before the footer";
    holding = true;
    expect(ChunkOutput.ARRAY, 4, "a chunk");
    inside = "inside the header of a chunk";
    expect(ChunkOutput.TAG, ChunkOutput.TAG_ENCODED, "the header of a chunk");
    long headerStart = offset;
    CborFields.Budget own = headerBudget();
    FieldMap fields = fields("the header of a chunk", own);
    ChunkHeader header =
        new ChunkHeader(
            Fields.text(fields, "kind", start),
            Fields.flag(fields, "critical", start),
            Fields.integer(fields, "length", 0, Long.MAX_VALUE, start),
            fields,
            start,
            (int) (offset - headerStart),
            own.taken());
    inside = "inside the chunk '" + header.kind() + "'";
    holding = false;
    if (header.kind().equals(SnapshotFormat.FOOTER)) {
      digesting = false;
    } else {
      digest.update(held.toByteArray());
    }
    held.reset();
    return header;
  }

  /** The digest, in hexadecimal, of everything before the footer. */
  String endDigest() {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The body of a chunk that holds fields, checked and decoded. */
  FieldMap fieldsBody(ChunkHeader header) throws IOException {
    expect(ChunkOutput.TAG, ChunkOutput.TAG_ENCODED, "fields");
    ChunkBody body = body(header);
    body.verify("the chunk '" + header.kind() + "'");
    return CborFields.decode(body.bytes(), body.offset(), budget);
  }

  /** The body of a chunk that holds bytes. */
  ChunkBody body(ChunkHeader header) throws IOException {
    int length = bodyLength(header);
    long start = offset;
    return new ChunkBody(read(length), crc(), start);
  }

  /** Begins the body of a chunk that is read in pieces, and whose length the caller has checked. */
  void beginBody(ChunkHeader header) throws IOException {
    refuseOtherLength(header, argument(one(), ChunkOutput.BYTES, "the body of a chunk"));
    running.reset();
  }

  /** The next bytes of such a body. */
  byte[] piece(int length) throws IOException {
    byte[] bytes = new byte[length];
    fill(bytes, 0, length);
    running.update(bytes, 0, length);
    return bytes;
  }

  /** Ends such a body, {@code length} bytes long. */
  void endBody(ChunkHeader header) throws IOException {
    long start = offset - header.length();
    if (crc() != (int) running.getValue()) {
      throw wrongChecksum(header, start);
    }
  }

  /**
   * Passes over a body that was begun without looking at it or its checksum. From here on nothing
   * is digested.
   */
  void leap(ChunkHeader header) throws IOException {
    digesting = false;
    for (long left = header.length(); left > 0; ) {
      long n = in.skip(left);
      if (n <= 0) {
        throw new SnapshotException.Truncated(offset, inside);
      }
      left -= n;
      offset += n;
    }
    crc();
  }

  private static SnapshotException.Corrupt wrongChecksum(ChunkHeader header, long start) {
    return new SnapshotException.Corrupt(
        start, "the chunk '" + header.kind() + "': wrong checksum");
  }

  /**
   * The body of a chunk of any kind, its checksum right.
   *
   * @param tagged whether it is tagged as fields
   */
  record AnyBody(boolean tagged, ChunkBody bytes) {}

  /** The body of a chunk of any kind, checked and not decoded. */
  AnyBody anyBody(ChunkHeader header) throws IOException {
    int first = one();
    boolean tagged = first == (ChunkOutput.TAG << 5 | 24);
    if (tagged) {
      int tag = one();
      if (tag != ChunkOutput.TAG_ENCODED) {
        throw corrupt("expected a byte string or tag 24, found tag " + tag);
      }
      first = one();
    }
    checkLength(header, argument(first, ChunkOutput.BYTES, "the body of a chunk"));
    long start = offset;
    ChunkBody body = new ChunkBody(read((int) header.length()), crc(), start);
    return new AnyBody(tagged, body.verify("the chunk '" + header.kind() + "'"));
  }

  private int bodyLength(ChunkHeader header) throws IOException {
    checkLength(header, argument(one(), ChunkOutput.BYTES, "the body of a chunk"));
    return (int) header.length();
  }

  private void refuseOtherLength(ChunkHeader header, long found) {
    if (found != header.length()) {
      throw corrupt(
          "the chunk '%s' has %d bytes, stated are %d"
              .formatted(header.kind(), found, header.length()));
    }
  }

  private void checkLength(ChunkHeader header, long found) {
    refuseOtherLength(header, found);
    if (found > Math.min(limits.chunkBytes().bytes(), Integer.MAX_VALUE - 16)) {
      throw new SnapshotException.Incompatible(
          "the chunk '%s' of %d bytes".formatted(header.kind(), found),
          "the reader's limit is " + limits.chunkBytes());
    }
  }

  /** A header is held one at a time, and a value takes at least a byte. */
  private static CborFields.Budget headerBudget() {
    return new CborFields.Budget(SnapshotFormat.MAX_HEADER_BYTES);
  }

  private FieldMap fields(String what, CborFields.Budget values) throws IOException {
    long length = argument(one(), ChunkOutput.BYTES, what);
    if (length > SnapshotFormat.MAX_HEADER_BYTES) {
      throw corrupt(
          "%s has %d bytes, more than %d".formatted(what, length, SnapshotFormat.MAX_HEADER_BYTES));
    }
    long start = offset;
    ChunkBody body = new ChunkBody(read((int) length), crc(), start);
    body.verify(what);
    return CborFields.decode(body.bytes(), start, values);
  }

  private void expect(int majorType, int argument, String what) throws IOException {
    long start = offset;
    long found = argument(one(), majorType, what);
    if (found != argument) {
      throw new SnapshotException.Corrupt(
          start, "expected %s (%d), found %d".formatted(what, argument, found));
    }
  }

  private int crc() throws IOException {
    expect(ChunkOutput.BYTES, 4, "a checksum");
    fill(small, 0, 4);
    return (small[0] & 0xFF) << 24
        | (small[1] & 0xFF) << 16
        | (small[2] & 0xFF) << 8
        | small[3] & 0xFF;
  }

  /** The argument of a head whose first byte has been read; the shortest form is the only one. */
  private long argument(int first, int majorType, String what) throws IOException {
    int additional = first & 0x1F;
    if (first >> 5 != majorType || additional > 27) {
      throw new SnapshotException.Corrupt(
          offset - 1, "expected %s, found the byte 0x%02x".formatted(what, first));
    }
    if (additional < 24) {
      return additional;
    }
    int bytes = 1 << (additional - 24);
    fill(small, 0, bytes);
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | small[i] & 0xFF;
    }
    boolean shortest =
        switch (bytes) {
          case 1 -> value >= 24;
          case 2 -> value >= 0x100;
          case 4 -> value >= 0x10000;
          default -> value >= 0x1_0000_0000L;
        };
    if (!shortest) {
      throw corrupt("the length of %s is not in its shortest form, or beyond".formatted(what));
    }
    return value;
  }

  private SnapshotException.Corrupt corrupt(String what) {
    return new SnapshotException.Corrupt(offset, what);
  }

  private int one() throws IOException {
    fill(small, 0, 1);
    return small[0] & 0xFF;
  }

  private byte[] read(int length) throws IOException {
    byte[] bytes = new byte[Math.min(length, TRUSTED_BYTES)];
    int have = 0;
    while (true) {
      fill(bytes, have, bytes.length - have);
      have = bytes.length;
      if (have == length) {
        return bytes;
      }
      bytes = Arrays.copyOf(bytes, (int) Math.min(length, 2L * have));
    }
  }

  private void fill(byte[] target, int from, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int n;
      try {
        n = in.read(target, from + done, length - done);
      } catch (EOFException e) {
        // How a decompressing stream says that its own input ended too early.
        n = -1;
      }
      if (n < 0) {
        throw new SnapshotException.Truncated(offset, inside);
      }
      if (digesting) {
        if (holding) {
          held.write(target, from + done, n);
        } else {
          digest.update(target, from + done, n);
        }
      }
      done += n;
      offset += n;
    }
  }
}
