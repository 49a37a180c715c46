package io.vmm4j.api.vsock;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The host's end of a virtio socket device (virtio 1.2, 5.10): streams of bytes between programs of
 * the guest (AF_VSOCK) and of the host, without a network. The host has the context identifier 2.
 * Ports are 0 to 4294967294.
 *
 * <p>A snapshot holds no connections. At a restore, in place or into another machine, those of the
 * guest are reset, and channels of this machine throw a {@link
 * io.vmm4j.api.channel.GuestChannelException}. Listeners of this machine stay.
 *
 * <p>Safe for any thread. It outlives the machine, and refuses then.
 *
 * {@snippet :
 * Vsock vsock = vm.device("pci/00:05.0", Vsock.class);
 * try (VsockListener listener = vsock.listen(5000)) {
 *   VsockChannel agent = listener.accept(Duration.ofSeconds(30));
 *   agent.write(ByteBuffer.wrap("status\n".getBytes(StandardCharsets.US_ASCII)));
 * }
 * }
 */
public interface Vsock {
  /** The context identifier of the host (virtio 1.2, 5.10.4). */
  long HOST_CID = 2;

  /** The highest port: the one above stands for any. */
  long MOST_PORT = 0xFFFF_FFFEL;

  /** Returns the guest's context identifier. */
  long guestCid();

  /**
   * Connects to a port of the guest, and waits up to 10 seconds for its answer.
   *
   * @throws java.net.ConnectException if the guest refuses, or does not answer
   * @throws IOException if the machine is closed
   */
  default VsockChannel connect(long guestPort) throws IOException {
    return connect(guestPort, Duration.ofSeconds(10));
  }

  /**
   * Connects to a port of the guest, and waits for its answer.
   *
   * @throws java.net.ConnectException if the guest refuses, or does not answer in time
   * @throws IOException if the machine is closed
   */
  VsockChannel connect(long guestPort, Duration timeout) throws IOException;

  /**
   * Takes connections of the guest to a port of the host. The guest's connections are accepted at
   * once, and wait for {@link VsockListener#accept}; 128 at most, further ones are refused.
   *
   * @throws java.net.BindException if somebody listens there already
   * @throws IOException if the machine is closed
   */
  VsockListener listen(long hostPort) throws IOException;

  /**
   * Has a handler decide about connections to ports at which nobody listens. It replaces the one
   * before. It is called on a thread of the machine, and must return at once: it decides there, or
   * has another thread do so.
   *
   * @return takes the handler away, unless another one is there by then
   */
  AutoCloseable listenElsewhere(Consumer<VsockRequest> handler);
}
