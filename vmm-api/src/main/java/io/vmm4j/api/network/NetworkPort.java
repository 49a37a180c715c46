package io.vmm4j.api.network;

/**
 * The card's end of a network cable: what a network knows of the network card that it is connected
 * to. Safe for any thread.
 *
 * <p>Frames are Ethernet frames without preamble and check sequence: destination, source, type,
 * payload.
 */
public interface NetworkPort {

  /** The device's path in its machine, such as {@code pci/00:05.0}. */
  String path();

  /** Whether the card's machine is being restored; {@link NetworkLink#restore} follows. */
  boolean restoring();

  /** The card's address, 6 bytes; the guest may use another one. */
  byte[] macAddress();

  /** The most bytes of a frame behind its Ethernet header. */
  int mtu();

  /**
   * Gives the guest a frame. Never waits: a frame that finds no room is dropped and counted, as on
   * a real cable.
   *
   * @param frame 14 bytes at least; it must not be changed afterwards
   * @return whether there was room
   */
  boolean deliver(byte[] frame);

  /** Returns guest nanoseconds: they stand still while the machine is paused. */
  long guestNanos();

  /**
   * Offers something that the machine's user reaches by {@link io.vmm4j.api.Vm#device} under the
   * card's path. Only within {@link NetworkFactory#connect}.
   */
  <T> void offer(Class<T> type, T endpoint);
}
