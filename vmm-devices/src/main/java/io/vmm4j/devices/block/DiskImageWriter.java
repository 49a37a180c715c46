package io.vmm4j.devices.block;

import java.io.IOException;

/** Writes a disk's contents in some format, in pieces that come in any order, one at a time. */
public interface DiskImageWriter {

  /**
   * Writes a piece. Each is given once.
   *
   * @param offset a multiple of 64 KiB
   * @param length 64 KiB, or up to the disk's end
   */
  void piece(long offset, byte[] bytes, int length) throws IOException;

  /** Writes what is left to be written when all pieces are. */
  void finish() throws IOException;
}
