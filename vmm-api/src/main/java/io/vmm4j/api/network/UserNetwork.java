package io.vmm4j.api.network;

import io.vmm4j.api.channel.GuestChannel;
import java.io.IOException;
import java.util.List;

/**
 * A network of a guest's own that needs no privilege on the host. The guest is 10.0.2.15 by DHCP,
 * its gateway 10.0.2.2 and its name server 10.0.2.3. Its user reaches the guest through here.
 *
 * <p>Safe for any thread. It outlives the machine, and refuses then.
 *
 * {@snippet :
 * UserNetwork network = vm.device("pci/00:05.0", UserNetwork.class);
 * try (GuestChannel web = network.connect(80)) {
 *   web.write(ByteBuffer.wrap("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
 *   web.shutdownOutput();
 * }
 * int port = network.forwards().getFirst().hostPort();
 * }
 */
public interface UserNetwork {

  /**
   * Connects to a TCP port of the guest, and waits for its answer. No port of the host is used.
   *
   * @param guestPort 1 to 65535
   * @throws java.net.ConnectException if the guest refuses, or does not answer
   * @throws IOException if the network is closed
   */
  GuestChannel connect(int guestPort) throws IOException;

  /**
   * Opens a port of the host's loopback address that leads to a port of the guest, for as long as
   * the machine is there. A snapshot does not hold it.
   *
   * @return the forward with the host port that is really open
   * @throws IOException if the host port can't be had, or the network is closed
   */
  PortForward forward(PortForward wanted) throws IOException;

  /** Returns the forwards, with the host ports that are really open. */
  List<PortForward> forwards();

  /** Returns how much has gone through. */
  NetworkCounters counters();
}
