package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/** Frames chunks, and counts and digests what it writes. The counterpart of {@link ChunkInput}. */
final class ChunkOutput {
  static final int UNSIGNED = 0;
  static final int BYTES = 2;
  static final int ARRAY = 4;
  static final int TAG = 6;

  /** The tag of a byte string that holds an encoded item (RFC 8949, 3.4.5.1). */
  static final int TAG_ENCODED = 24;

  private static final int TAG_HEAD_BYTES = 2;

  /** A checksum with its head. */
  static final int CRC_BYTES = 5;

  private final OutputStream out;
  private final MessageDigest digest = sha256();
  private final byte[] head = new byte[9];
  private long count;

  ChunkOutput(OutputStream out) {
    this.out = new BufferedOutputStream(out, 1 << 16);
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** The bytes written so far. */
  long count() {
    return count;
  }

  /** The digest, in hexadecimal, of everything written so far; ends the digesting. */
  String endDigest() {
    return HexFormat.of().formatHex(digest.digest());
  }

  void flush() throws IOException {
    out.flush();
  }

  void prologue(FieldMap fields) throws IOException {
    byte[] magic = SnapshotFormat.MAGIC;
    byte[] encoded = CborFields.encode(fields);
    write(magic, magic.length);
    bytes(encoded, encoded.length);
    crc(encoded, encoded.length);
  }

  /** A chunk whose body is fields. */
  void chunk(String kind, boolean critical, FieldMap header, FieldMap body) throws IOException {
    byte[] encoded = CborFields.encode(body);
    header(kind, critical, header, encoded.length);
    head(TAG, TAG_ENCODED);
    bytes(encoded, encoded.length);
    crc(encoded, encoded.length);
  }

  /**
   * A chunk as it was read.
   *
   * @param header all its fields
   * @param tagged whether the body is tagged as fields
   */
  void chunk(FieldMap header, boolean tagged, byte[] body) throws IOException {
    header(
        (String) header.get("kind"),
        (Boolean) header.get("critical"),
        header.without("length"),
        body.length);
    if (tagged) {
      head(TAG, TAG_ENCODED);
    }
    bytes(body, body.length);
    crc(body, body.length);
  }

  /** A chunk whose body is the first {@code length} bytes of an array. */
  void chunk(String kind, boolean critical, FieldMap header, byte[] body, int length, int crc)
      throws IOException {
    header(kind, critical, header, length);
    bytes(body, length);
    crc(crc);
  }

  /**
   * Begins a chunk whose body follows in pieces, {@code length} bytes in all, and then {@link
   * #endBody}.
   */
  void beginBody(String kind, boolean critical, FieldMap header, long length) throws IOException {
    header(kind, critical, header, length);
    head(BYTES, length);
  }

  /** How many bytes {@link #beginBody} writes. */
  static long beginBodyBytes(String kind, boolean critical, FieldMap header, long length) {
    int encoded = encodeHeader(kind, critical, header, length).length;
    return 1 + TAG_HEAD_BYTES + headBytes(encoded) + encoded + CRC_BYTES + headBytes(length);
  }

  void body(byte[] piece, int length) throws IOException {
    write(piece, length);
  }

  void endBody(int crc) throws IOException {
    crc(crc);
  }

  private void header(String kind, boolean critical, FieldMap header, long length)
      throws IOException {
    byte[] encoded = encodeHeader(kind, critical, header, length);
    head(ARRAY, 4);
    head(TAG, TAG_ENCODED);
    bytes(encoded, encoded.length);
    crc(encoded, encoded.length);
  }

  private static byte[] encodeHeader(String kind, boolean critical, FieldMap header, long length) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("kind", kind);
    fields.put("critical", critical);
    fields.put("length", length);
    fields.putAll(header.asMap());
    byte[] encoded = CborFields.encode(FieldMap.of(fields));
    if (encoded.length > SnapshotFormat.MAX_HEADER_BYTES) {
      throw new IllegalArgumentException(
          "the header of a chunk has %d bytes, more than %d"
              .formatted(encoded.length, SnapshotFormat.MAX_HEADER_BYTES));
    }
    return encoded;
  }

  private void bytes(byte[] bytes, int length) throws IOException {
    head(BYTES, length);
    write(bytes, length);
  }

  private void crc(byte[] bytes, int length) throws IOException {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    crc((int) crc.getValue());
  }

  private void crc(int value) throws IOException {
    head(BYTES, 4);
    for (int i = 0; i < 4; i++) {
      head[i] = (byte) (value >> (24 - 8 * i));
    }
    write(head, 4);
  }

  /** The head of an item in its shortest form (RFC 8949, 3). */
  private void head(int majorType, long argument) throws IOException {
    int length = headBytes(argument) - 1;
    long additional = length == 0 ? argument : 24 + Integer.numberOfTrailingZeros(length);
    head[0] = (byte) (majorType << 5 | (int) additional);
    for (int i = 0; i < length; i++) {
      head[1 + i] = (byte) (argument >> (8 * (length - 1 - i)));
    }
    write(head, 1 + length);
  }

  /** The length of a head. */
  private static int headBytes(long argument) {
    if (argument < 24) {
      return 1;
    }
    if (argument < 0x100) {
      return 2;
    }
    if (argument < 0x10000) {
      return 3;
    }
    return argument <= 0xFFFF_FFFFL ? 5 : 9;
  }

  private void write(byte[] bytes, int length) throws IOException {
    digest.update(bytes, 0, length);
    out.write(bytes, 0, length);
    count += length;
  }
}
