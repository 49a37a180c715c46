package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.channel.GuestChannelException.Reason;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.devices.Checks;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * A device for virtio sockets (virtio 1.2, 5.10). All of it is done with the machine lock held;
 * programs of the host have channels with locks of their own, and leave what they want to tasks.
 */
final class VirtioVsock implements DeviceModel<VirtioVsockState>, VirtioFunction {
  private static final int TYPE = 19;
  private static final int OTHER = 0x07_80_00;
  private static final int QUEUE_SIZE = 256;
  private static final int EVENT_QUEUE_SIZE = 8;
  private static final int RECEIVE = 0;
  private static final int TRANSMIT = 1;
  private static final int EVENT = 2;

  private static final long STREAMS = 1;
  private static final byte[] TRANSPORT_RESET = new byte[Integer.BYTES];

  /** How many connections there may be. */
  private static final int MOST_CONNECTIONS = 1024;

  /** So many refusals wait for the guest; then it is not heard until it takes some. */
  private static final int MOST_REFUSALS = 256;

  /** So many packets are taken before others have their turn. */
  private static final int MOST_AT_ONCE = 128;

  private static final long FIRST_PORT = 1L << 30;

  private record Ports(long host, long guest) {}

  /**
   * What the guest is to hear of connections that are gone. Until it has heard it nothing else is
   * sent or taken: it would reset new connections with the old ones.
   */
  private enum Telling {
    NOTHING,
    DUE,
    /** It has the event, and gives a buffer for another one when it has acted upon it. */
    TOLD
  }

  private final long guestCid;
  private final DeviceContext context;
  private final VirtioPci virtio;
  private final VsockHost host;
  private final Map<Ports, Connection> connections = new LinkedHashMap<>();
  private final SequencedSet<Connection> ready = new LinkedHashSet<>();
  private final Deque<VsockPacket> refusals = new ArrayDeque<>();
  private Telling telling = Telling.NOTHING;
  private long nextPort = FIRST_PORT;

  VirtioVsock(VirtioVsockConfig config, DeviceContext context) {
    this.guestCid = config.guestCid();
    this.context = context;
    this.virtio = new VirtioPci(context, TYPE, OTHER, this);
    this.host = new VsockHost(guestCid, new Programs());
    context.offer(Vsock.class, host);
  }

  // ---- as virtio sees it ----

  @Override
  public long features() {
    return STREAMS;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE, QUEUE_SIZE, EVENT_QUEUE_SIZE};
  }

  @Override
  public byte[] configuration() {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(guestCid).array();
  }

  @Override
  public void notified(int queue) {
    switch (queue) {
      case RECEIVE -> transmit();
      case TRANSMIT -> receive();
      default -> {
        if (telling == Telling.TOLD) {
          telling = Telling.NOTHING;
          receive();
        }
        tellOfReset();
      }
    }
  }

  @Override
  public void stop(Runnable done) {
    endAll(Reason.DEVICE_RESET, "the device was reset");
    telling = Telling.NOTHING;
    done.run();
  }

  private void endAll(Reason reason, String why) {
    connections.values().forEach(connection -> connection.end(reason, why));
    connections.clear();
    ready.clear();
    refusals.clear();
  }

  // ---- from the guest ----

  private void receive() {
    Optional<Virtqueue> ring = virtio.queue(TRANSMIT);
    if (ring.isEmpty() || isHeldBack()) {
      return;
    }
    Virtqueue queue = ring.get();
    int left = MOST_AT_ONCE;
    try {
      do {
        Optional<Chain> chain;
        while (left > 0 && hears() && (chain = queue.take()).isPresent()) {
          VsockPacket packet = VsockPacket.of(chain.get());
          queue.giveBack(chain.get(), 0);
          left--;
          take(packet);
        }
      } while (left > 0 && hears() && !queue.awaitNotification());
      virtio.interrupt(TRANSMIT);
    } catch (BadQueueException e) {
      virtio.refuse(TRANSMIT, e);
      return;
    }
    if (left == 0) {
      context.execute(this::receive);
    }
    transmit();
  }

  private boolean hears() {
    return refusals.size() < MOST_REFUSALS;
  }

  private void take(VsockPacket packet) {
    if (packet.sourceCid() != guestCid || packet.destinationCid() != Vsock.HOST_CID) {
      return; // it is nobody's
    }
    Ports ports = new Ports(packet.destinationPort(), packet.sourcePort());
    Connection connection = connections.get(ports);
    if (packet.type() != VsockPacket.STREAM || connection == null) {
      if (packet.type() != VsockPacket.STREAM
          || packet.operation() != VsockPacket.REQUEST
          || !open(ports, packet)) {
        refuse(packet);
      }
      return;
    }
    switch (connection.receive(packet)) {
      case STAYS -> ready.add(connection);
      case ENDS -> remove(ports, connection);
      case RESETS -> {
        remove(ports, connection);
        refusals.add(connection.resetPacket());
      }
    }
  }

  private void refuse(VsockPacket packet) {
    if (packet.operation() != VsockPacket.RESET) {
      refusals.add(packet.refusal());
    }
  }

  private boolean open(Ports ports, VsockPacket request) {
    if (!makeRoom()) {
      return false;
    }
    Connection connection = Connection.ofGuest(request, this::wake);
    connections.put(ports, connection);
    if (host.offer(connection)) {
      ready.add(connection);
      return true;
    }
    remove(ports, connection);
    return false;
  }

  private void remove(Ports ports, Connection connection) {
    connections.remove(ports);
    ready.remove(connection);
  }

  /** Makes room for one connection; those go for which only the guest's answer is missing. */
  private boolean makeRoom() {
    if (connections.size() < MOST_CONNECTIONS) {
      return true;
    }
    Optional<Map.Entry<Ports, Connection>> going =
        connections.entrySet().stream().filter(entry -> entry.getValue().isGoing()).findFirst();
    going.ifPresent(entry -> {
      refusals.add(entry.getValue().resetPacket());
      remove(entry.getKey(), entry.getValue());
    });
    return going.isPresent();
  }

  // ---- to the guest ----

  private void transmit() {
    Optional<Virtqueue> ring = virtio.queue(RECEIVE);
    if (ring.isEmpty() || isHeldBack() || !hasNext()) {
      return;
    }
    boolean heard = hears();
    Virtqueue queue = ring.get();
    int left = MOST_AT_ONCE;
    try {
      do {
        Optional<Chain> chain;
        while (left > 0 && hasNext() && (chain = queue.take()).isPresent()) {
          queue.giveBack(chain.get(), next(chain.get()).writeTo(chain.get()));
          left--;
        }
      } while (left > 0 && hasNext() && !queue.awaitNotification());
      virtio.interrupt(RECEIVE);
    } catch (BadQueueException e) {
      virtio.refuse(RECEIVE, e);
      return;
    }
    if (left == 0) {
      context.execute(this::transmit);
    }
    if (!heard && hears()) {
      context.execute(this::receive);
    }
  }

  private boolean hasNext() {
    if (!refusals.isEmpty()) {
      return true;
    }
    while (!ready.isEmpty()) {
      if (ready.getFirst().hasNext()) {
        return true;
      }
      ready.removeFirst();
    }
    return false;
  }

  private VsockPacket next(Chain chain) {
    long room = chain.writable().length() - VsockPacket.HEADER_BYTES;
    if (room < 1) {
      throw new BadQueueException("a buffer of %d bytes".formatted(chain.writable().length()));
    }
    if (!refusals.isEmpty()) {
      return refusals.remove();
    }
    Connection connection = ready.removeFirst();
    ready.addLast(connection); // each has its turn
    return connection.next((int) Math.min(room, VsockPacket.MOST_PAYLOAD_BYTES)).orElseThrow();
  }

  private boolean isHeldBack() {
    return telling != Telling.NOTHING && virtio.queue(EVENT).isPresent();
  }

  /** Tells the guest that its connections are gone (5.10.6.7). */
  private void tellOfReset() {
    Optional<Virtqueue> ring = virtio.queue(EVENT);
    if (telling != Telling.DUE || ring.isEmpty()) {
      return;
    }
    Virtqueue queue = ring.get();
    try {
      Optional<Chain> chain = queue.take();
      if (chain.isEmpty()) {
        queue.awaitFurther();
        return;
      }
      chain.get().write(0, TRANSPORT_RESET);
      queue.awaitFurther(); // before the guest knows, so that its answer is not missed
      queue.giveBack(chain.get(), TRANSPORT_RESET.length);
      telling = Telling.TOLD;
      virtio.interrupt(EVENT);
    } catch (BadQueueException e) {
      virtio.refuse(EVENT, e);
    }
  }

  // ---- for the host's programs ----

  private void wake(Connection connection) {
    if (connection.wake()) {
      context.execute(() -> {
        connection.looking();
        look(connection);
      });
    }
  }

  private void look(Connection connection) {
    Ports ports = new Ports(connection.hostPort(), connection.guestPort());
    if (connections.get(ports) != connection) {
      return;
    }
    if (connection.isAbandoned()) {
      remove(ports, connection);
      refusals.add(connection.resetPacket());
    } else {
      ready.add(connection);
    }
    transmit();
  }

  private final class Programs implements VsockHost.Device {
    @Override
    public void begin(Connection connection) {
      context.execute(() -> connect(connection));
    }

    @Override
    public void wake(Connection connection) {
      VirtioVsock.this.wake(connection);
    }

    @Override
    public void decide(Connection connection, boolean accepted) {
      context.execute(() -> VirtioVsock.this.decide(connection, accepted));
    }
  }

  private void connect(Connection connection) {
    if (connection.isAbandoned()) {
      return;
    }
    if (virtio.queue(RECEIVE).isEmpty()) {
      connection.end(Reason.ENDED_BY_GUEST, "the guest has no driver that is ready");
      return;
    }
    if (!makeRoom()) {
      connection.end(Reason.CLOSED, "there are %d connections".formatted(MOST_CONNECTIONS));
      return;
    }
    Ports ports;
    do {
      ports = new Ports(nextPort, connection.guestPort());
      nextPort = nextPort == Vsock.MOST_PORT ? FIRST_PORT : nextPort + 1;
    } while (connections.containsKey(ports));
    connection.setHostPort(ports.host);
    connections.put(ports, connection);
    ready.add(connection);
    transmit();
  }

  private void decide(Connection connection, boolean accepted) {
    Ports ports = new Ports(connection.hostPort(), connection.guestPort());
    if (connections.get(ports) != connection || !connection.isAsked()) {
      return;
    }
    if (accepted) {
      connection.accept();
      ready.add(connection);
    } else {
      connection.end(Reason.CLOSED, "the host has refused");
      remove(ports, connection);
      refusals.add(connection.resetPacket());
    }
    transmit();
  }

  // ---- the device ----

  @Override
  public void reset() {
    endAll(Reason.RESTORED, "the machine was restored"); // a guest's reset ends the machine
    virtio.powerOn();
    nextPort = FIRST_PORT;
  }

  @Override
  public VirtioVsockState save() {
    return new VirtioVsockState(
        virtio.save(),
        telling != Telling.NOTHING || !connections.isEmpty(),
        nextPort,
        refusals.stream().map(VsockPacket::toRefusal).toList());
  }

  @Override
  public void restore(VirtioVsockState state) {
    nextPort = Checks.range("nextPort", state.nextPort(), FIRST_PORT, Vsock.MOST_PORT);
    virtio.restore(state.virtio());
    telling = state.resetDue() ? Telling.DUE : Telling.NOTHING;
    state.refusals().stream()
        .limit(MOST_REFUSALS)
        .forEach(saved -> refusals.add(VsockPacket.of(guestCid, saved)));
    if (telling == Telling.DUE) {
      context.execute(this::tellOfReset);
    }
  }

  @Override
  public void close() {
    host.close();
    endAll(Reason.CLOSED, "the machine is closed");
  }
}
