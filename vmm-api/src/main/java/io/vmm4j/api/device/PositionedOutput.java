package io.vmm4j.api.device;

import java.io.IOException;

/** A new file of the host, written in any order. What is not written is zeros and takes no room. */
public interface PositionedOutput {

  /** Writes the contents of a file: see {@link DeviceContext#replaceFile}. */
  @FunctionalInterface
  interface Contents {
    /** Writes all of them. */
    void writeTo(PositionedOutput out) throws IOException;
  }

  /**
   * Writes bytes at a place in the file. Any thread.
   *
   * @throws IOException if they can't be written; names the file
   */
  void write(long position, byte[] bytes, int offset, int length) throws IOException;

  /**
   * Makes the file longer, with zeros, if it is not as long. Any thread.
   *
   * @throws IOException if that is not possible; names the file
   */
  void setLength(long bytes) throws IOException;
}
