package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A packet (virtio 1.2, 5.10.6): its header and what it carries.
 *
 * @param sourceCid who sends it
 * @param destinationCid whom it is for
 * @param sourcePort the sender's port
 * @param destinationPort the receiver's port
 * @param type {@link #STREAM}, or what a driver makes up
 * @param operation what it is about
 * @param flags of {@link #SHUTDOWN}
 * @param allocated how many bytes the sender's buffer has, unsigned
 * @param forwarded how many bytes have left the sender's buffer, modulo 2^32
 * @param payload of {@link #DATA}
 */
record VsockPacket(
    long sourceCid,
    long destinationCid,
    long sourcePort,
    long destinationPort,
    int type,
    int operation,
    int flags,
    int allocated,
    int forwarded,
    byte[] payload) {
  static final int HEADER_BYTES = 44;

  /** The most bytes of a payload, as Linux has it. */
  static final int MOST_PAYLOAD_BYTES = 64 << 10;

  static final int STREAM = 1;

  static final int REQUEST = 1;
  static final int RESPONSE = 2;
  static final int RESET = 3;
  static final int SHUTDOWN = 4;
  static final int DATA = 5;
  static final int CREDIT_UPDATE = 6;
  static final int CREDIT_REQUEST = 7;

  /** Of a shutdown: the sender receives no more. */
  static final int NO_RECEIVE = 1;

  /** Of a shutdown: the sender sends no more. */
  static final int NO_SEND = 2;

  static final int NOTHING_MORE = NO_RECEIVE | NO_SEND;

  private static final byte[] NONE = {};

  /**
   * Reads one from the guest.
   *
   * @throws BadQueueException if its length is not that of its buffers
   */
  static VsockPacket of(Chain chain) {
    ByteBuffer b = ByteBuffer.wrap(chain.read(0, HEADER_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    long length = b.getInt(24) & 0xFFFF_FFFFL;
    if (length > MOST_PAYLOAD_BYTES) {
      throw new BadQueueException("a packet with %d bytes".formatted(length));
    }
    int operation = b.getShort(30) & 0xFFFF;
    return new VsockPacket(
        b.getLong(0),
        b.getLong(8),
        b.getInt(16) & 0xFFFF_FFFFL,
        b.getInt(20) & 0xFFFF_FFFFL,
        b.getShort(28) & 0xFFFF,
        operation,
        b.getInt(32),
        b.getInt(36),
        b.getInt(40),
        operation == DATA ? chain.read(HEADER_BYTES, (int) length) : NONE);
  }

  /** One of the host's. */
  static VsockPacket of(
      long guestCid, long hostPort, long guestPort, int operation, int flags, byte[] payload) {
    return new VsockPacket(
        Vsock.HOST_CID, guestCid, hostPort, guestPort, STREAM, operation, flags, 0, 0, payload);
  }

  static VsockPacket of(long guestCid, long hostPort, long guestPort, int operation) {
    return of(guestCid, hostPort, guestPort, operation, 0, NONE);
  }

  /** The same with the credit that the receiver has. */
  VsockPacket withCredit(int bufferBytes, int forwardedBytes) {
    return new VsockPacket(
        sourceCid,
        destinationCid,
        sourcePort,
        destinationPort,
        type,
        operation,
        flags,
        bufferBytes,
        forwardedBytes,
        payload);
  }

  /** A reset as it was saved. */
  static VsockPacket of(long guestCid, VirtioVsockState.Refusal saved) {
    return new VsockPacket(
        Vsock.HOST_CID,
        guestCid,
        saved.hostPort() & 0xFFFF_FFFFL,
        saved.guestPort() & 0xFFFF_FFFFL,
        saved.type() & 0xFFFF,
        RESET,
        0,
        0,
        0,
        NONE);
  }

  /** What of a reset of the host's is saved. */
  VirtioVsockState.Refusal toRefusal() {
    return new VirtioVsockState.Refusal(sourcePort, destinationPort, type);
  }

  /** The answer to what belongs to no connection: of the same type, which may be unknown. */
  VsockPacket refusal() {
    return new VsockPacket(
        destinationCid, sourceCid, destinationPort, sourcePort, type, RESET, 0, 0, 0, NONE);
  }

  /** Writes it for the guest; how many bytes. */
  long writeTo(Chain chain) {
    ByteBuffer b =
        ByteBuffer.allocate(HEADER_BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(sourceCid).putLong(destinationCid);
    b.putInt((int) sourcePort).putInt((int) destinationPort).putInt(payload.length);
    b.putShort((short) type).putShort((short) operation);
    b.putInt(flags).putInt(allocated).putInt(forwarded).put(payload);
    chain.write(0, b.array());
    return b.capacity();
  }
}
