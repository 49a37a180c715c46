package io.vmm4j.devices.virtionet;

import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.ScatterGather;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import java.util.Optional;

/** A frame on its way between a chain of buffers and the network. */
abstract sealed class FrameCopy {
  /** Of the header before each frame (virtio 1.2, 5.1.6). */
  static final int HEADER_BYTES = 12;

  static final int ETHERNET_BYTES = 14;

  /** Ethernet's header with a VLAN's tag. */
  private static final int MOST_ETHERNET_BYTES = ETHERNET_BYTES + 4;

  private static final int BUFFERS = 10;

  private final Chain chain;
  private Optional<String> failure = Optional.empty();

  FrameCopy(Chain chain) {
    this.chain = chain;
  }

  Chain chain() {
    return chain;
  }

  /** How many bytes of the buffers were written. */
  long written() {
    return 0;
  }

  /** Copies it, without the machine lock. */
  final void copy() {
    try {
      move();
    } catch (GuestMemoryException e) {
      failure = Optional.of("a buffer: " + e.getMessage()); // it has gone meanwhile
    }
  }

  /** Moves the bytes. */
  abstract void move();

  /**
   * Looks whether it was copied.
   *
   * @throws BadQueueException if the memory was not there
   */
  final void requireDone() {
    if (failure.isPresent()) {
      throw new BadQueueException(failure.get());
    }
  }

  /** To the guest. */
  static final class In extends FrameCopy {
    private final byte[] frame;

    /** The chain must have room for header and frame. */
    In(Chain chain, byte[] frame) {
      super(chain);
      this.frame = frame;
      if (chain.writable().length() < HEADER_BYTES + frame.length) {
        throw new BadQueueException(
            "a buffer of %d bytes for a frame of %d"
                .formatted(chain.writable().length(), frame.length));
      }
    }

    @Override
    void move() {
      byte[] header = new byte[HEADER_BYTES];
      header[BUFFERS] = 1;
      chain().writable().write(0, header, 0, HEADER_BYTES);
      chain().writable().write(HEADER_BYTES, frame, 0, frame.length);
    }

    @Override
    long written() {
      return HEADER_BYTES + frame.length;
    }
  }

  /** From the guest. What is no frame of Ethernet is dropped. */
  static final class Out extends FrameCopy {
    private final int mtu;
    private final NetworkLink link;

    Out(Chain chain, int mtu, NetworkLink link) {
      super(chain);
      this.mtu = mtu;
      this.link = link;
      if (chain.readable().length() < HEADER_BYTES) {
        throw new BadQueueException("a frame without its header");
      }
    }

    @Override
    void move() {
      ScatterGather bytes = chain().readable();
      long length = bytes.length() - HEADER_BYTES;
      if (length < ETHERNET_BYTES || length > mtu + MOST_ETHERNET_BYTES) {
        return;
      }
      byte[] frame = new byte[(int) length];
      bytes.read(HEADER_BYTES, frame, 0, frame.length);
      link.send(frame);
    }
  }
}
