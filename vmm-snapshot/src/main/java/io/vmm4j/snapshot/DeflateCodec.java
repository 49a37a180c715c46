package io.vmm4j.snapshot;

import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** {@link Compression#DEFLATE} by the JDK. */
final class DeflateCodec implements BlockCodec {
  private final Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
  private final Inflater inflater = new Inflater(true);

  @Override
  public int pack(byte[] plain, int length, byte[] packed, int limit) {
    deflater.reset();
    deflater.setInput(plain, 0, length);
    deflater.finish();
    int n = deflater.deflate(packed, 0, limit);
    return deflater.finished() ? n : TOO_LONG;
  }

  @Override
  public void unpack(byte[] packed, byte[] plain, int length) throws DataFormatException {
    inflater.reset();
    inflater.setInput(packed);
    int have = 0;
    while (have < length) {
      int n = inflater.inflate(plain, have, length - have);
      if (n == 0) {
        break;
      }
      have += n;
    }
    // The mark of the end may still be unread when the last byte is there.
    boolean ended =
        inflater.finished() || inflater.inflate(new byte[1]) == 0 && inflater.finished();
    if (have != length || !ended || inflater.getRemaining() != 0) {
      throw new DataFormatException("it has another length than " + length);
    }
  }

  @Override
  public void close() {
    deflater.end();
    inflater.end();
  }
}
