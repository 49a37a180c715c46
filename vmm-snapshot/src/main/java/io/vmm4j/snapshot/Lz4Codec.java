package io.vmm4j.snapshot;

import java.util.zip.DataFormatException;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * {@link Compression#LZ4} by lz4-java, of which only the classes that work on arrays are used:
 * never those over native code or {@code sun.misc.Unsafe}. Every access of these is checked by the
 * JVM, so that a block made by anybody can't reach beyond its arrays.
 */
final class Lz4Codec implements BlockCodec {
  private final LZ4Compressor compressor = LZ4Factory.safeInstance().fastCompressor();
  private final LZ4SafeDecompressor decompressor = LZ4Factory.safeInstance().safeDecompressor();

  @Override
  public int pack(byte[] plain, int length, byte[] packed, int limit) {
    try {
      return compressor.compress(plain, 0, length, packed, 0, limit);
    } catch (LZ4Exception e) {
      return TOO_LONG;
    }
  }

  @Override
  public void unpack(byte[] packed, byte[] plain, int length) throws DataFormatException {
    int n;
    try {
      n = decompressor.decompress(packed, 0, packed.length, plain, 0, length);
    } catch (LZ4Exception | IndexOutOfBoundsException e) {
      throw new DataFormatException(e.getMessage());
    }
    if (n != length) {
      throw new DataFormatException("it has another length than " + length);
    }
  }

  @Override
  public void close() {
    // Nothing is held.
  }
}
