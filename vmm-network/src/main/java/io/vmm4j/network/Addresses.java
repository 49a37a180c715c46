package io.vmm4j.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/** The addresses of the network, as big-endian words. */
final class Addresses {
  static final int NETWORK = 0x0A00_0200;
  static final int MASK = 0xFFFF_FF00;
  static final int GATEWAY = NETWORK + 2;
  static final int NAME_SERVER = NETWORK + 3;
  static final int GUEST = NETWORK + 15;
  static final int BROADCAST = NETWORK + 255;
  static final int LIMITED_BROADCAST = 0xFFFF_FFFF;

  /** The network's own address on the cable; those of cards begin with 52:54. */
  static final long GATEWAY_MAC = 0x5255_0A00_0202L;

  static final long BROADCAST_MAC = 0xFFFF_FFFF_FFFFL;

  private Addresses() {}

  /** Whether the network itself answers for it. */
  static boolean isOurs(int address) {
    return address == GATEWAY || address == NAME_SERVER;
  }

  /** Whether a guest may have it. */
  static boolean isGuests(int address) {
    return (address & MASK) == NETWORK
        && address != NETWORK
        && address != BROADCAST
        && !isOurs(address);
  }

  /**
   * Whether NAT may send there: no address of the network's own, of the host's loopback, of this
   * network or link alone, and no multicast.
   */
  static boolean isOutside(int address) {
    int first = address >>> 24;
    return (address & MASK) != NETWORK
        && first != 0
        && first != 127
        && first < 224
        && address >>> 16 != 0xA9FE;
  }

  static InetAddress host(int address) {
    try {
      return InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(address).array());
    } catch (UnknownHostException e) {
      throw new AssertionError("an address of 4 bytes", e);
    }
  }
}
