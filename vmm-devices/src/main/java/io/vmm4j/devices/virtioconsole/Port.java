package io.vmm4j.devices.virtioconsole;

import io.vmm4j.api.channel.GuestChannelException.Reason;
import io.vmm4j.api.channel.ProgramChannel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A port: the console, or one with a name, and what the guest is to be told of it. With the machine
 * lock held, but for {@link #claim}.
 */
final class Port {
  // What is due, in the order in which it is told; the messages of virtio 1.2, 5.3.6.2.
  static final int ADD = 1;
  static final int CONSOLE = 1 << 1;
  static final int SIZE = 1 << 2;
  static final int NAME = 1 << 3;
  private static final int OPEN = 1 << 4;
  private static final int ALL = OPEN - 1;
  private static final int[] EVENTS = {1, 4, 5, 7, 6};

  private static final int HEADER_BYTES = 8;

  private final int id;
  private final String name;

  /** Who has the port, from the host's open to the end of what it has written. */
  private final AtomicReference<Optional<ProgramChannel>> user =
      new AtomicReference<>(Optional.empty());

  private Optional<ProgramChannel> channel = Optional.empty();
  private int due;
  private boolean ready;
  private boolean guestOpen;
  private boolean hostOpen;

  /** Whether the guest takes it that the host has it open. */
  private boolean announced;

  Port(int id, String name) {
    this.id = id;
    this.name = name;
    forget();
  }

  String name() {
    return name;
  }

  private boolean isConsole() {
    return id == 0;
  }

  int receiveQueue() {
    return isConsole() ? 0 : 2 * id + 2;
  }

  int transmitQueue() {
    return receiveQueue() + 1;
  }

  /** The channel, while there is one that the device knows of. */
  Optional<ProgramChannel> channel() {
    return channel;
  }

  // ---- the host ----

  /** Makes a channel the port's only one; whether there was none. Any thread. */
  boolean claim(ProgramChannel wanted) {
    Optional<ProgramChannel> none = user.get();
    return none.isEmpty() && user.compareAndSet(none, Optional.of(wanted));
  }

  /** A program of the host has opened it. */
  void connect(ProgramChannel opened) {
    channel = Optional.of(opened);
    hostOpen = true;
    if (guestOpen) {
      opened.opened();
    }
  }

  /** Ends the channel if the program has closed it and nothing is left. */
  void look() {
    channel
        .filter(made -> !made.isOpen() && (made.untaken() < 0 || !guestOpen))
        .ifPresent(made -> disconnect());
  }

  private void disconnect() {
    channel = Optional.empty();
    user.set(Optional.empty());
    hostOpen = false;
  }

  /** Ends the channel. */
  void end(Reason reason, String why) {
    channel.ifPresent(made -> made.fail(reason, why));
    user.get().ifPresent(made -> made.fail(reason, why));
    channel = Optional.empty();
    user.set(Optional.empty());
  }

  // ---- the guest ----

  void add() {
    due |= ADD;
  }

  void ready() {
    ready = true;
    announced = false;
    due |= isConsole() ? CONSOLE | SIZE : NAME;
  }

  void resized() {
    if (ready && isConsole()) {
      due |= SIZE;
    }
  }

  void setGuestOpen(boolean open) {
    guestOpen = open;
    channel.ifPresent(made -> {
      if (open) {
        made.opened();
      } else {
        made.endInput();
        made.fail(Reason.CLOSED_BY_GUEST, "the guest has closed the port");
        disconnect();
      }
    });
  }

  boolean isGuestOpen() {
    return guestOpen;
  }

  // ---- messages ----

  boolean isDue() {
    return due != 0 || isOpenDue();
  }

  /** After a restore: whether the guest takes it that a program of the host is there. */
  boolean hasLostItsChannel() {
    return announced && !hostOpen;
  }

  private boolean isOpenDue() {
    return ready && hostOpen != announced;
  }

  /** The next message for the guest. */
  byte[] message(int columns, int rows) {
    int bit = due != 0 ? Integer.lowestOneBit(due) : OPEN;
    due &= ~bit;
    if (bit == OPEN) {
      announced = hostOpen;
    }
    byte[] more =
        switch (bit) {
          // As virtio 1.2 has it; older drivers of Linux took the first word for the rows.
          case SIZE -> words(columns, rows);
          case NAME -> name.getBytes(StandardCharsets.US_ASCII);
          default -> new byte[0];
        };
    int value = bit == OPEN && !hostOpen ? 0 : 1;
    return ByteBuffer.allocate(HEADER_BYTES + more.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(id)
        .putShort((short) EVENTS[Integer.numberOfTrailingZeros(bit)])
        .putShort((short) value)
        .put(more)
        .array();
  }

  private static byte[] words(int first, int second) {
    return ByteBuffer.allocate(4)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) first)
        .putShort((short) second)
        .array();
  }

  // ---- state ----

  /** As after power-on. */
  void forget() {
    due = 0;
    ready = false;
    guestOpen = false;
    hostOpen = isConsole();
    announced = false;
  }

  VirtioConsoleState.Port save() {
    return new VirtioConsoleState.Port(due, ready, guestOpen, announced);
  }

  void restore(VirtioConsoleState.Port state) {
    due = state.due() & ALL;
    ready = state.ready();
    guestOpen = state.guestOpen();
    announced = state.announced(); // a port that has lost its channel is due to be closed
  }
}
