package io.vmm4j.api.network;

/**
 * The network's end of a network cable, to which a network card belongs.
 *
 * <p><b>Threads.</b> {@link #send} is called by one thread at a time and without the machine lock.
 * All others are called with the machine lock held. So none of them waits for the network.
 */
public interface NetworkLink extends AutoCloseable {

  /**
   * Takes a frame from the guest, whose contents nobody has checked. Never waits: a frame that
   * finds no room is dropped and counted.
   *
   * @param frame at most the card's MTU and 14 bytes; the network may keep it
   * @return whether there was room
   */
  boolean send(byte[] frame);

  /** Returns what a restored machine's network must know, at most 64 KiB. Changes nothing. */
  byte[] save();

  /**
   * Begins anew for a guest that remembers what {@link #save} has seen. Connections of that time
   * are gone, and the guest is told so.
   *
   * @throws IllegalArgumentException if the bytes are not those of such a network
   */
  void restore(byte[] saved);

  /** Ends all connections: the card was reset. */
  void reset();

  /** Disconnects. May be called more than once. */
  @Override
  void close();
}
