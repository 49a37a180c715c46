package io.vmm4j.api.channel;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * The named ports of a virtio console (virtio 1.2, 5.3), such as {@code /dev/virtio-ports/agent} in
 * a guest, and the size of its terminal. The console itself is a {@link io.vmm4j.api.Console} under
 * the device's path. Safe for any thread.
 *
 * {@snippet :
 * ConsolePorts ports = vm.device("pci/00:05.0", ConsolePorts.class);
 * try (GuestChannel agent = ports.open("agent", Duration.ofSeconds(30))) {
 *   agent.write(ByteBuffer.wrap("ping\n".getBytes(StandardCharsets.US_ASCII)));
 * }
 * }
 */
public interface ConsolePorts {
  /** Returns the ports' names. */
  List<String> names();

  /**
   * Opens a port, and waits until a program of the guest has opened it too. The channel has no
   * halves: {@link GuestChannel#shutdownOutput} is not seen by the guest. It reads to the end when
   * the guest closes the port. A restore ends it.
   *
   * <p>As long as the host does not have a port open, Linux gives its readers the end of the input.
   * A program of the guest that waits for the host has to read again.
   *
   * @throws java.net.ConnectException if the guest does not open it in time
   * @throws IOException if it is open already, or its last channel has not been sent to the end
   * @throws IllegalArgumentException if there is no such port
   */
  GuestChannel open(String name, Duration timeout) throws IOException;

  /**
   * Sets the size of the console's terminal. The guest is told.
   *
   * @param columns 0 to 65535
   * @param rows 0 to 65535
   */
  void resize(int columns, int rows);
}
