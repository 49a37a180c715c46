package io.vmm4j.network;

import io.vmm4j.api.channel.ByteRing;
import java.io.IOException;

/** The host's end of a connection: a socket, or a channel of a Java program. Never waits. */
interface HostSide {

  /** The guest has taken the connection. */
  void opened();

  /**
   * Reads what is there, as far as there is room.
   *
   * @return how many bytes, or -1 at the end
   */
  int read(ByteRing target) throws IOException;

  /** Writes what is taken. */
  void write(ByteRing source) throws IOException;

  /** The guest has ended its half. */
  void shutdownOutput() throws IOException;

  /** Says whether it wants to hear of input, and of room for output. */
  void await(boolean input, boolean room);

  /** Ends in order: everything was written. */
  void close();

  /** Ends at once, as a reset does. */
  void reset(String why);
}
