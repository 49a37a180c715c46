package io.vmm4j.api.channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/**
 * A stream of bytes into a guest and back: a TCP connection, for example. Reads wait for at least
 * one byte, writes until all bytes are taken. One thread may read while another writes.
 *
 * <p>An interrupt of a thread that waits closes the channel: {@link
 * java.nio.channels.ClosedByInterruptException}.
 */
public interface GuestChannel extends ByteChannel {

  /**
   * Reads what has arrived, and waits if there is nothing.
   *
   * @return how many bytes, or -1 once the guest has ended its half and all was read
   * @throws GuestChannelException if the guest or a restore has reset the connection
   */
  @Override
  int read(ByteBuffer target) throws IOException;

  /**
   * Writes all bytes, and waits for room.
   *
   * @throws GuestChannelException if the guest or a restore has reset the connection
   */
  @Override
  int write(ByteBuffer source) throws IOException;

  /** Ends this half: the guest reads to the end, and may still send. */
  void shutdownOutput() throws IOException;

  /** Ends both halves. What was written still reaches the guest. */
  @Override
  void close();
}
