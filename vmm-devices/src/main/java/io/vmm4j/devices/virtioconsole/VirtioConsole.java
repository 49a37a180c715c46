package io.vmm4j.devices.virtioconsole;

import io.vmm4j.api.channel.ConsolePorts;
import io.vmm4j.api.channel.GuestChannel;
import io.vmm4j.api.channel.GuestChannelException.Reason;
import io.vmm4j.api.channel.ProgramChannel;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.devices.Checks;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A console with further ports (virtio 1.2, 5.3). All of it is done with the machine lock held. */
final class VirtioConsole implements DeviceModel<VirtioConsoleState>, VirtioFunction {
  private static final int TYPE = 3;
  private static final int OTHER = 0x07_80_00;
  private static final int QUEUE_SIZE = 64;
  private static final int CONTROL_TO_GUEST = 2;
  private static final int CONTROL = 3;

  private static final long SIZE = 1;
  private static final long SEVERAL_PORTS = 1L << 1;
  private static final long EMERGENCY_WRITE = 1L << 2;
  private static final int EMERGENCY_OFFSET = 8;
  private static final int CONFIGURATION_BYTES = 12;

  private static final int DEVICE_READY = 0;
  private static final int PORT_READY = 3;
  private static final int PORT_OPEN = 6;
  private static final int MESSAGE_BYTES = 8;

  /** The most bytes of one write of the guest's; Linux has 32 KiB. */
  private static final int MOST_BYTES = 128 << 10;

  private static final int CHANNEL_BYTES = 2 * MOST_BYTES;
  private static final int PIECE_BYTES = 4096;
  private static final int COLUMNS = 80;
  private static final int ROWS = 25;
  private static final int MOST_SIZE = 0xFFFF;

  private final DeviceContext context;
  private final ByteChannelEndpoint console;
  private final List<Port> ports = new ArrayList<>();
  private final VirtioPci virtio;
  private int columns = COLUMNS;
  private int rows = ROWS;

  VirtioConsole(VirtioConsoleConfig config, DeviceContext context) {
    this.context = context;
    this.console = context.console();
    ports.add(new Port(0, ""));
    for (String name : config.ports()) {
      ports.add(new Port(ports.size(), name));
    }
    this.virtio = new VirtioPci(context, TYPE, OTHER, this);
    console.onReceivable(() -> toGuest(ports.getFirst()));
    context.offer(ConsolePorts.class, new Programs());
  }

  // ---- as virtio sees it ----

  @Override
  public long features() {
    return SIZE | SEVERAL_PORTS | EMERGENCY_WRITE;
  }

  @Override
  public int[] queueSizes() {
    int[] sizes = new int[2 * ports.size() + 2];
    Arrays.fill(sizes, QUEUE_SIZE);
    return sizes;
  }

  @Override
  public byte[] configuration() {
    return ByteBuffer.allocate(CONFIGURATION_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) columns)
        .putShort((short) rows)
        .putInt(ports.size())
        .array();
  }

  @Override
  public void configure(int offset, int value) {
    if (offset == EMERGENCY_OFFSET) {
      console.transmit(value);
    }
  }

  @Override
  public void notified(int queue) {
    if (queue == CONTROL_TO_GUEST || queue == CONTROL) {
      if (queue == CONTROL) {
        takeMessages();
      }
      tell();
      return;
    }
    Port port = ports.get(queue < CONTROL ? 0 : queue / 2 - 1);
    if (queue == port.receiveQueue()) {
      toGuest(port);
    } else {
      fromGuest(port);
    }
  }

  @Override
  public void stop(Runnable done) {
    ports.forEach(port -> port.end(Reason.DEVICE_RESET, "the console was reset"));
    ports.forEach(Port::forget);
    done.run();
  }

  private boolean hasSeveralPorts() {
    return (virtio.features() & SEVERAL_PORTS) != 0;
  }

  @FunctionalInterface
  private interface Use {
    /** Uses a chain; how many bytes were written. */
    long of(Chain chain);
  }

  @FunctionalInterface
  private interface Condition {
    boolean holds();
  }

  /** Uses chains of a queue as long as there are some and a condition holds. */
  private void each(int index, Condition condition, Use use) {
    Optional<Virtqueue> ring = virtio.queue(index);
    if (ring.isEmpty()) {
      return;
    }
    Virtqueue queue = ring.get();
    try {
      do {
        Optional<Chain> chain;
        while (condition.holds() && (chain = queue.take()).isPresent()) {
          queue.giveBack(chain.get(), use.of(chain.get()));
        }
      } while (condition.holds() && !queue.awaitNotification());
      virtio.interrupt(index);
    } catch (BadQueueException e) {
      virtio.refuse(index, e);
    }
  }

  // ---- control ----

  private void takeMessages() {
    each(
        CONTROL,
        () -> true,
        chain -> {
          ByteBuffer message =
              ByteBuffer.wrap(chain.read(0, MESSAGE_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
          long id = message.getInt() & 0xFFFF_FFFFL;
          int event = message.getShort();
          boolean on = message.getShort() == 1;
          if (event == DEVICE_READY && on) {
            ports.forEach(Port::add);
          } else if (id < ports.size()) {
            Port port = ports.get((int) id);
            if (event == PORT_READY && on) {
              port.ready();
            } else if (event == PORT_OPEN) {
              port.setGuestOpen(on);
              toGuest(port);
            }
          }
          return 0;
        });
  }

  private Optional<Port> due() {
    return hasSeveralPorts() ? ports.stream().filter(Port::isDue).findFirst() : Optional.empty();
  }

  private void tell() {
    each(
        CONTROL_TO_GUEST,
        () -> due().isPresent(),
        chain -> {
          byte[] message = due().orElseThrow().message(columns, rows);
          chain.write(0, message);
          return message.length;
        });
  }

  // ---- bytes ----

  private void fromGuest(Port port) {
    each(
        port.transmitQueue(),
        () -> hasRoom(port),
        chain -> {
          if (chain.readable().length() > MOST_BYTES) {
            throw new BadQueueException("a write of %d bytes".formatted(chain.readable().length()));
          }
          byte[] bytes = chain.read(0, (int) chain.readable().length());
          if (port == ports.getFirst()) {
            for (byte b : bytes) {
              console.transmit(b & 0xFF);
            }
          } else {
            port.channel().ifPresent(channel -> channel.give(bytes));
          }
          return 0;
        });
  }

  private static boolean hasRoom(Port port) {
    return port.channel()
        .map(channel -> channel.unread() <= CHANNEL_BYTES - MOST_BYTES)
        .orElse(true);
  }

  private int waiting(Port port) {
    if (port == ports.getFirst()) {
      return console.available();
    }
    return port.isGuestOpen() ? port.channel().map(ProgramChannel::untaken).orElse(0) : 0;
  }

  private void toGuest(Port port) {
    each(
        port.receiveQueue(),
        () -> waiting(port) > 0,
        chain -> {
          int most = (int) Math.min(PIECE_BYTES, chain.writable().length());
          byte[] bytes =
              port == ports.getFirst()
                  ? typed(Math.min(most, console.available()))
                  : port.channel().orElseThrow().take(most);
          chain.write(0, bytes);
          return bytes.length;
        });
    port.look();
    tell();
  }

  private byte[] typed(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) console.receive();
    }
    return bytes;
  }

  // ---- for the host's programs ----

  private final class Programs implements ConsolePorts {
    @Override
    public List<String> names() {
      return ports.stream().skip(1).map(Port::name).toList();
    }

    @Override
    public GuestChannel open(String name, Duration timeout) throws IOException {
      Port port =
          ports.stream()
              .skip(1)
              .filter(other -> other.name().equals(name))
              .findFirst()
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "there is no port '%s': %s".formatted(name, names())));
      ProgramChannel channel =
          new ProgramChannel(() -> context.execute(() -> look(port)), CHANNEL_BYTES);
      if (!port.claim(channel)) {
        throw new IOException("port '%s' is in use".formatted(name));
      }
      context.execute(() -> {
        port.connect(channel);
        look(port);
      });
      channel.awaitOpen(timeout);
      return channel;
    }

    @Override
    public void resize(int newColumns, int newRows) {
      Checks.range("columns", newColumns, 0, MOST_SIZE);
      Checks.range("rows", newRows, 0, MOST_SIZE);
      context.execute(() -> {
        columns = newColumns;
        rows = newRows;
        ports.getFirst().resized();
        virtio.configurationChanged();
        tell();
      });
    }
  }

  private void look(Port port) {
    fromGuest(port);
    toGuest(port);
  }

  // ---- the device ----

  @Override
  public void reset() {
    ports.forEach(port -> port.end(Reason.RESTORED, "the machine was restored"));
    virtio.powerOn();
  }

  @Override
  public VirtioConsoleState save() {
    return new VirtioConsoleState(
        virtio.save(), columns, rows, ports.stream().map(Port::save).toList());
  }

  @Override
  public void restore(VirtioConsoleState state) {
    if (state.ports().size() != ports.size()) {
      throw new IllegalArgumentException(
          "ports: %d, but the device has %d".formatted(state.ports().size(), ports.size()));
    }
    columns = Checks.range("columns", state.columns(), 0, MOST_SIZE);
    rows = Checks.range("rows", state.rows(), 0, MOST_SIZE);
    for (int i = 0; i < ports.size(); i++) {
      ports.get(i).restore(state.ports().get(i));
    }
    virtio.restore(state.virtio());
    if (ports.stream().anyMatch(Port::hasLostItsChannel)) {
      context.execute(this::tell);
    }
  }

  @Override
  public void close() {
    ports.forEach(port -> port.end(Reason.CLOSED, "the machine is closed"));
  }
}
