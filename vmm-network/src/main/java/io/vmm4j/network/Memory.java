package io.vmm4j.network;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * What a guest remembers of its network, for a snapshot:
 *
 * <pre>
 * version            1 byte, 1
 * neighbours         2 bytes, then for each: address 4, address on the cable 8
 * connections        2 bytes, then for each: guest 4 + 2, remote 4 + 2, position 4 + 4
 * </pre>
 *
 * <p>All big-endian. Connections do not survive a restore: the guest is told that they have ended.
 *
 * @param neighbours addresses and addresses on the cable
 * @param connections where each connection is
 */
record Memory(Map<Integer, Long> neighbours, Map<TcpKey, TcpConnection.Position> connections) {
  private static final int VERSION = 1;
  private static final int NEIGHBOUR_BYTES = 12;
  private static final int CONNECTION_BYTES = 20;
  private static final int MOST_NEIGHBOURS = 16;

  /** Nothing. */
  static final Memory NONE = new Memory(Map.of(), Map.of());

  byte[] toBytes() {
    ByteBuffer b =
        ByteBuffer.allocate(
            5 + NEIGHBOUR_BYTES * neighbours.size() + CONNECTION_BYTES * connections.size());
    b.put((byte) VERSION).putShort((short) neighbours.size());
    neighbours.forEach((address, mac) -> b.putInt(address).putLong(mac));
    b.putShort((short) connections.size());
    connections.forEach((key, at) ->
        b.putInt(key.guest())
            .putShort((short) key.guestPort())
            .putInt(key.remote())
            .putShort((short) key.remotePort())
            .putInt(at.seq())
            .putInt(at.ack()));
    return b.array();
  }

  /**
   * Reads it; no bytes are nothing.
   *
   * @throws IllegalArgumentException if the bytes are something else
   */
  static Memory of(byte[] bytes) {
    if (bytes.length == 0) {
      return NONE;
    }
    ByteBuffer b = ByteBuffer.wrap(bytes);
    try {
      require("version", b.get(), VERSION, VERSION);
      Map<Integer, Long> neighbours = new HashMap<>();
      int count = require("neighbours", b.getShort(), 0, MOST_NEIGHBOURS);
      for (int i = 0; i < count; i++) {
        neighbours.put(b.getInt(), b.getLong());
      }
      Map<TcpKey, TcpConnection.Position> connections = new HashMap<>();
      count = require("connections", b.getShort(), 0, Tcp.MOST_CONNECTIONS);
      for (int i = 0; i < count; i++) {
        int guest = b.getInt();
        int guestPort = b.getShort() & 0xFFFF;
        int remote = b.getInt();
        TcpKey key = new TcpKey(guest, guestPort, remote, b.getShort() & 0xFFFF);
        connections.put(key, new TcpConnection.Position(b.getInt(), b.getInt()));
      }
      require("bytes behind the connections", b.remaining(), 0, 0);
      return new Memory(neighbours, connections);
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("network: %d bytes end early".formatted(bytes.length), e);
    }
  }

  private static int require(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "network: %s: %d is not %d to %d".formatted(name, value, min, max));
    }
    return value;
  }
}
