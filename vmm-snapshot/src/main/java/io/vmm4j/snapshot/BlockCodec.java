package io.vmm4j.snapshot;

import java.util.zip.DataFormatException;

/** Packs and unpacks one block after the other. For one thread. */
interface BlockCodec extends AutoCloseable {

  /** What is returned for a block that does not fit. */
  int TOO_LONG = -1;

  /**
   * Packs a block.
   *
   * @param packed at least as long as a block
   * @param limit the most that the packed block may take
   * @return its length, or {@link #TOO_LONG}
   */
  int pack(byte[] plain, int length, byte[] packed, int limit);

  /**
   * Unpacks a block that anybody may have made.
   *
   * @param length how many bytes there are to be, neither more nor less
   * @throws DataFormatException if they are others
   */
  void unpack(byte[] packed, byte[] plain, int length) throws DataFormatException;

  @Override
  void close();
}
