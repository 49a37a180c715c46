package io.vmm4j.devices.virtioinput;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.input.Keyboard;
import io.vmm4j.api.input.Tablet;
import io.vmm4j.devices.Checks;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;

/** A keyboard or a tablet (virtio 1.2, 5.8). With the machine lock held. */
final class VirtioInput implements DeviceModel<VirtioInputState>, VirtioFunction {
  private static final int TYPE = 18;
  private static final int INPUT_OTHER = 0x09_80_00;
  private static final int QUEUE_SIZE = 64;
  private static final int EVENTS = 0;
  private static final int STATUS = 1;

  private static final int SELECT = 0;
  private static final int SUBSELECT = 1;
  private static final int SIZE = 2;
  private static final int ITEM = 8;
  private static final int CONFIGURATION_BYTES = 136;
  private static final int EVENT_BYTES = 8;
  private static final int MOST_WAITING = 1024;

  private final InputKind kind;
  private final DeviceContext context;
  private final VirtioPci virtio;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private int select;
  private int subselect;

  VirtioInput(VirtioInputConfig config, DeviceContext context) {
    this.kind =
        switch (config.kind()) {
          case KEYBOARD -> InputKind.KEYBOARD;
          case TABLET -> InputKind.TABLET;
        };
    this.context = context;
    this.virtio = new VirtioPci(context, TYPE, INPUT_OTHER, this);
    switch (config.kind()) {
      case KEYBOARD -> context.offer(Keyboard.class, this::key);
      case TABLET -> context.offer(Tablet.class, new Pointer());
    }
  }

  // ---- as virtio sees it ----

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE, QUEUE_SIZE};
  }

  @Override
  public byte[] configuration() {
    byte[] bytes = new byte[CONFIGURATION_BYTES];
    byte[] item = kind.item(select, subselect);
    bytes[SELECT] = (byte) select;
    bytes[SUBSELECT] = (byte) subselect;
    bytes[SIZE] = (byte) item.length;
    System.arraycopy(item, 0, bytes, ITEM, item.length);
    return bytes;
  }

  @Override
  public void configure(int offset, int value) {
    switch (offset) {
      case SELECT -> select = value;
      case SUBSELECT -> subselect = value;
      default -> {
        // Read-only.
      }
    }
  }

  @Override
  public void notified(int queue) {
    if (queue == EVENTS) {
      deliver();
    } else {
      takeStatus();
    }
  }

  @Override
  public void stop(Runnable done) {
    waiting.clear();
    select = 0;
    subselect = 0;
    done.run();
  }

  private void deliver() {
    Optional<Virtqueue> ring = virtio.queue(EVENTS);
    if (ring.isEmpty() || waiting.isEmpty()) {
      return;
    }
    Virtqueue queue = ring.get();
    try {
      do {
        Optional<Chain> chain;
        while (!waiting.isEmpty() && (chain = queue.take()).isPresent()) {
          chain.get().write(0, waiting.remove());
          queue.giveBack(chain.get(), EVENT_BYTES);
        }
      } while (!waiting.isEmpty() && !queue.awaitNotification());
      virtio.interrupt(EVENTS);
    } catch (BadQueueException e) {
      virtio.refuse(EVENTS, e);
    }
  }

  /** The guest lights lamps, which nobody sees. */
  private void takeStatus() {
    Optional<Virtqueue> ring = virtio.queue(STATUS);
    if (ring.isEmpty()) {
      return;
    }
    Virtqueue queue = ring.get();
    try {
      do {
        Optional<Chain> chain;
        while ((chain = queue.take()).isPresent()) {
          queue.giveBack(chain.get(), 0);
        }
      } while (!queue.awaitNotification());
      virtio.interrupt(STATUS);
    } catch (BadQueueException e) {
      virtio.refuse(STATUS, e);
    }
  }

  // ---- for the host ----

  private void key(int code, boolean pressed) {
    Checks.range("code", code, 1, InputKind.LAST_KEY);
    send(event(InputKind.KEY, code, pressed ? 1 : 0));
  }

  private static byte[] event(int type, int code, int value) {
    return ByteBuffer.allocate(EVENT_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) type)
        .putShort((short) code)
        .putInt(value)
        .array();
  }

  /** Has the guest hear of events that happen at once. */
  private void send(byte[]... events) {
    context.execute(() -> {
      if (virtio.queue(EVENTS).isEmpty() || waiting.size() + events.length >= MOST_WAITING) {
        return; // nobody listens
      }
      waiting.addAll(Arrays.asList(events));
      waiting.add(event(InputKind.SYNCHRONIZE, 0, 0));
      deliver();
    });
  }

  private final class Pointer implements Tablet {
    @Override
    public void move(int x, int y) {
      send(
          event(InputKind.ABSOLUTE, InputKind.X, Checks.range("x", x, 0, MOST)),
          event(InputKind.ABSOLUTE, InputKind.Y, Checks.range("y", y, 0, MOST)));
    }

    @Override
    public void button(Button button, boolean pressed) {
      send(event(InputKind.KEY, InputKind.FIRST_BUTTON + button.ordinal(), pressed ? 1 : 0));
    }

    @Override
    public void wheel(int steps) {
      send(event(InputKind.RELATIVE, InputKind.WHEEL, steps));
    }
  }

  // ---- the device ----

  @Override
  public void reset() {
    virtio.powerOn();
  }

  @Override
  public VirtioInputState save() {
    ByteArrayOutputStream events = new ByteArrayOutputStream();
    waiting.forEach(events::writeBytes);
    return new VirtioInputState(virtio.save(), select, subselect, events.toByteArray());
  }

  @Override
  public void restore(VirtioInputState state) {
    int length = state.events().length;
    Checks.range("events", length, 0, MOST_WAITING * EVENT_BYTES);
    if (length % EVENT_BYTES != 0) {
      throw new IllegalArgumentException("events: %d bytes are no whole ones".formatted(length));
    }
    select = state.select() & 0xFF;
    subselect = state.subselect() & 0xFF;
    virtio.restore(state.virtio());
    for (int at = 0; at < length; at += EVENT_BYTES) {
      waiting.add(Arrays.copyOfRange(state.events(), at, at + EVENT_BYTES));
    }
  }
}
