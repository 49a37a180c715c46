package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.SingleXZInputStream;

/** The packed kernel within a bzImage: an ELF vmlinux, in one of the kernel's compressions. */
final class LinuxPayload {
  /** How much an xz or lzma decoder may use; the kernel packs with windows of up to 128 MiB. */
  private static final int DECODER_KIB = 160 << 10;

  private static final int SIZE_BYTES = 4;
  private static final int PIECE_BYTES = 1 << 16;

  /** A compression that this class unpacks. */
  private enum Compression {
    GZIP,
    XZ,
    LZMA,
    LZ4
  }

  private LinuxPayload() {}

  /**
   * Unpacks the kernel.
   *
   * @param limitBytes the most it may have unpacked
   * @return the ELF image, to be closed, or empty if the compression is not one that is read here;
   *     it is outside of the heap, which would keep its some 60 MiB for long
   * @throws io.vmm4j.api.BootException if the payload is damaged, or larger than it may be
   */
  static Optional<ImageBytes> unpack(ImageBytes image, LinuxHeader header, long limitBytes) {
    if (header.payloadBytes() <= 2 * SIZE_BYTES) {
      return Optional.empty();
    }
    byte[] packed = image.read("payload_offset", header.payloadOffset(), header.payloadBytes());
    Optional<Compression> compression = compression(packed);
    if (compression.isEmpty()) {
      return Optional.empty();
    }
    long size = 0;
    for (int i = 1; i <= SIZE_BYTES; i++) {
      size = size << 8 | packed[packed.length - i] & 0xFF;
    }
    if (size > limitBytes) {
      throw image.fault(
          "the payload's size field says 0x%x bytes; init_size allows 0x%x", size, limitBytes);
    }
    Arena arena = Arena.ofConfined();
    boolean done = false;
    try {
      MemorySegment unpacked = arena.allocate(size);
      long written = unpack(compression.get(), packed, unpacked);
      if (written != size) {
        throw image.fault(
            "the payload has 0x%x bytes unpacked, its size field says 0x%x", written, size);
      }
      done = true;
      return Optional.of(ImageBytes.of(image.name() + " (unpacked)", unpacked, arena));
    } catch (IOException e) {
      throw new BootException(
          "%s: the payload (%s) can't be unpacked: %s"
              .formatted(image.name(), compression.get(), e.getMessage()),
          e);
    } finally {
      if (!done) {
        arena.close();
      }
    }
  }

  private static long unpack(Compression compression, byte[] packed, MemorySegment unpacked)
      throws IOException {
    int length = packed.length - SIZE_BYTES;
    if (compression == Compression.LZ4) {
      return Lz4Legacy.unpack(packed, length, unpacked);
    }
    byte[] piece = new byte[PIECE_BYTES];
    long written = 0;
    try (InputStream stream = stream(compression, packed)) {
      int n;
      while (written < unpacked.byteSize()
          && (n =
                  stream.read(
                      piece, 0, (int) Math.min(piece.length, unpacked.byteSize() - written)))
              >= 0) {
        MemorySegment.copy(piece, 0, unpacked, ValueLayout.JAVA_BYTE, written, n);
        written += n;
      }
    }
    return written;
  }

  private static InputStream stream(Compression compression, byte[] packed) throws IOException {
    InputStream in = new ByteArrayInputStream(packed);
    return switch (compression) {
      case GZIP -> new GZIPInputStream(in, 1 << 16);
      case XZ -> new SingleXZInputStream(in, DECODER_KIB);
      case LZMA -> new LZMAInputStream(in, DECODER_KIB);
      case LZ4 -> throw new IllegalArgumentException("lz4 is not read as a stream");
    };
  }

  private static Optional<Compression> compression(byte[] packed) {
    int magic =
        (packed[0] & 0xFF) << 24
            | (packed[1] & 0xFF) << 16
            | (packed[2] & 0xFF) << 8
            | packed[3] & 0xFF;
    if (magic >>> 16 == 0x1F8B) {
      return Optional.of(Compression.GZIP);
    }
    return switch (magic) {
      case 0xFD377A58 -> Optional.of(Compression.XZ);
      case 0x5D000000, 0x5D000080 -> Optional.of(Compression.LZMA);
      case 0x02214C18 -> Optional.of(Compression.LZ4);
      default -> Optional.empty();
    };
  }
}
