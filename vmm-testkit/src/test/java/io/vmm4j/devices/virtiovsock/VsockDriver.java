package io.vmm4j.devices.virtiovsock;

import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.testkit.TestMachine;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/** The guest's driver for virtio sockets. */
public final class VsockDriver {
  static final int HEADER = 44;
  static final int BUFFER_BYTES = 4096;

  private static final int MOST_BUFFERS = 8;
  private static final long OUTGOING = 0x8_0000;
  private static final long EVENTS = 0x9_0000;

  /** A packet of the host's. */
  public record Packet(
      long hostPort,
      long guestPort,
      int type,
      int operation,
      int flags,
      long allocated,
      int forwarded,
      byte[] payload) {}

  private final TestMachine machine;
  final VirtioDriver receiving;
  final VirtioDriver sending;
  final VirtioDriver events;
  private final Queue<Long> buffers = new ArrayDeque<>();
  private int given;
  long guestCid = 3;
  int allocated = 1 << 16;
  int forwarded;

  /** Sets the device up, with buffers for packets and one for an event. */
  public VsockDriver(TestMachine machine, boolean packed) {
    this.machine = machine;
    machine.memory().write(VirtioDriver.QUEUES, new byte[3 * 0x1000]);
    receiving = VirtioDriver.ofQueue(machine, packed, 0);
    sending = VirtioDriver.ofQueue(machine, packed, 1);
    events = VirtioDriver.ofQueue(machine, packed, 2);
    VirtioDriver.setUp(0, receiving, sending, events);
  }

  /** Gives the device all buffers that it may have, in two pieces each. */
  public VsockDriver withBuffers() {
    while (buffers.size() < MOST_BUFFERS / 2) {
      giveBuffer();
    }
    return this;
  }

  private void giveBuffer() {
    long at = VirtioDriver.BUFFERS + (long) BUFFER_BYTES * (given++ % MOST_BUFFERS);
    buffers.add(at);
    receiving.submit(
        new Buffer(at, HEADER, VirtioDriver.WRITE),
        new Buffer(at + HEADER, BUFFER_BYTES - HEADER, VirtioDriver.WRITE));
  }

  /** The driver of the queue for packets of the host. */
  public VirtioDriver receiving() {
    return receiving;
  }

  /** Gives the device a buffer for an event. */
  public void giveEventBuffer() {
    machine.memory().writeInt(EVENTS, -1);
    events.submit(new Buffer(EVENTS, 4, VirtioDriver.WRITE));
  }

  /** The event that has come, if one has. */
  Optional<Integer> event() {
    return events.takeBack(1) == 4
        ? Optional.of(machine.memory().readInt(EVENTS))
        : Optional.empty();
  }

  /** The host's next packet, if there is one; its buffer is given anew. */
  Optional<Packet> next() {
    machine.runTasks();
    long written = receiving.takeBack(2);
    if (written < 0) {
      return Optional.empty();
    }
    long at = buffers.remove();
    ByteBuffer b = ByteBuffer.wrap(machine.memory().read(at, (int) written));
    b.order(ByteOrder.LITTLE_ENDIAN);
    byte[] payload = new byte[b.getInt(24)];
    b.get(HEADER, payload);
    Packet packet =
        new Packet(
            b.getInt(16) & 0xFFFF_FFFFL,
            b.getInt(20) & 0xFFFF_FFFFL,
            b.getShort(28),
            b.getShort(30),
            b.getInt(32),
            b.getInt(36) & 0xFFFF_FFFFL,
            b.getInt(40),
            payload);
    giveBuffer();
    return Optional.of(packet);
  }

  /** Waits for the host's next packet. */
  public Packet awaitNext() {
    while (!Thread.interrupted()) {
      Optional<Packet> packet = next();
      if (packet.isPresent()) {
        return packet.get();
      }
      Thread.onSpinWait();
    }
    throw new AssertionError("no packet in time");
  }

  /** Sends a packet. */
  public void send(long hostPort, long guestPort, int operation, int flags, byte[] payload) {
    send(hostPort, guestPort, 1, operation, flags, payload.length, payload);
  }

  /** Sends a packet without payload; whether the device has taken it. */
  public boolean send(long hostPort, long guestPort, int operation) {
    return send(hostPort, guestPort, 1, operation, 0, 0, new byte[0]);
  }

  boolean send(
      long hostPort,
      long guestPort,
      int type,
      int operation,
      int flags,
      int length,
      byte[] payload) {
    ByteBuffer b = ByteBuffer.allocate(HEADER + payload.length).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(guestCid).putLong(2).putInt((int) guestPort).putInt((int) hostPort).putInt(length);
    b.putShort((short) type).putShort((short) operation).putInt(flags);
    b.putInt(allocated).putInt(forwarded).put(payload);
    machine.memory().write(OUTGOING, b.array());
    sending.submit(new Buffer(OUTGOING, b.capacity(), 0));
    return sending.takeBack(1) >= 0;
  }
}
