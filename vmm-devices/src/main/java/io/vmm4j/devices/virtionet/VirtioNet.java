package io.vmm4j.devices.virtionet;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.devices.Checks;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A network card (virtio 1.2, 5.1). A thread of its own for each direction copies frames, without
 * the machine lock.
 */
final class VirtioNet implements DeviceModel<VirtioNetState>, VirtioFunction {
  private static final int TYPE = 1;
  private static final int ETHERNET = 0x02_00_00;
  private static final int QUEUE_SIZE = 256;
  private static final int RECEIVE = 0;
  private static final int TRANSMIT = 1;
  private static final int MAC_BYTES = 6;

  private static final long MTU = 1L << 3;
  private static final long MAC = 1L << 5;
  private static final long STATUS = 1L << 16;

  private static final int LINK_UP = 1;
  private static final int CONFIGURATION_BYTES = 12;

  /** How many frames one request moves: the guest is told of them together. */
  private static final int MOST_FRAMES = 64;

  private final VirtioNetConfig config;
  private final VirtioPci virtio;
  private final Cable cable;
  private final NetworkLink link;
  private final DeviceWorker receiver;
  private final DeviceWorker transmitter;
  private byte[] mac;

  VirtioNet(VirtioNetConfig config, DeviceContext context) {
    this.config = config;
    this.mac = config.mac().isEmpty() ? drawn(context) : VirtioNetConfig.address(config.mac());
    this.virtio = new VirtioPci(context, TYPE, ETHERNET, this);
    this.receiver = context.worker("receive", this::receive);
    this.transmitter = context.worker("transmit", this::transmit);
    this.cable = new Cable(context, config.mtu(), mac, receiver::wake);
    this.link = Networks.connect(config, cable);
  }

  /** An address that is locally administered, from the machine's seed. */
  private static byte[] drawn(DeviceContext context) {
    byte[] mac = new byte[MAC_BYTES];
    ByteBuffer.allocate(Long.BYTES).putLong(0, context.randomSeed()).get(2, mac);
    mac[0] = 0x52;
    mac[1] = 0x54;
    return mac;
  }

  // ---- as virtio sees it ----

  @Override
  public long features() {
    return MTU | MAC | STATUS;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE, QUEUE_SIZE};
  }

  @Override
  public byte[] configuration() {
    ByteBuffer b = ByteBuffer.allocate(CONFIGURATION_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0, mac);
    b.putShort(6, (short) (config.network().equals(VirtioNetConfig.NONE) ? 0 : LINK_UP));
    b.putShort(8, (short) 1).putShort(10, (short) config.mtu());
    return b.array();
  }

  @Override
  public void notified(int queue) {
    (queue == RECEIVE ? receiver : transmitter).wake();
  }

  @Override
  public void stop(Runnable done) {
    receiver.whenIdle(() -> transmitter.whenIdle(done));
  }

  // ---- frames ----

  private Optional<DeviceWorker.Request> receive() {
    if (virtio.queue(RECEIVE).isEmpty()) {
      cable.clear(); // nobody listens
      return Optional.empty();
    }
    if (cable.isEmpty()) {
      return Optional.empty();
    }
    return request(RECEIVE, chain -> new FrameCopy.In(chain, cable.take()), cable::waiting);
  }

  private Optional<DeviceWorker.Request> transmit() {
    return request(
        TRANSMIT, chain -> new FrameCopy.Out(chain, config.mtu(), link), () -> MOST_FRAMES);
  }

  @FunctionalInterface
  private interface Copies {
    FrameCopy of(Chain chain);
  }

  @FunctionalInterface
  private interface Most {
    int frames();
  }

  private Optional<DeviceWorker.Request> request(int index, Copies copies, Most most) {
    Optional<Virtqueue> ring = virtio.queue(index);
    if (ring.isEmpty()) {
      return Optional.empty();
    }
    Virtqueue queue = ring.get();
    List<FrameCopy> taken = new ArrayList<>();
    try {
      int count = Math.min(MOST_FRAMES, most.frames());
      do {
        Optional<Chain> chain;
        while (taken.size() < count && (chain = queue.take()).isPresent()) {
          taken.add(copies.of(chain.get()));
        }
      } while (taken.isEmpty() && count > 0 && !queue.awaitNotification());
    } catch (BadQueueException e) {
      virtio.refuse(index, e);
      return Optional.empty();
    }
    return taken.isEmpty() ? Optional.empty() : Optional.of(new Work(index, queue, taken));
  }

  private final class Work implements DeviceWorker.Request {
    private final int index;
    private final Virtqueue queue;
    private final List<FrameCopy> frames;

    Work(int index, Virtqueue queue, List<FrameCopy> frames) {
      this.index = index;
      this.queue = queue;
      this.frames = frames;
    }

    @Override
    public void work() {
      frames.forEach(FrameCopy::copy);
    }

    @Override
    public void complete() {
      try {
        for (FrameCopy frame : frames) {
          frame.requireDone();
          queue.giveBack(frame.chain(), frame.written());
        }
        virtio.interrupt(index);
      } catch (BadQueueException e) {
        virtio.refuse(index, e);
      }
    }
  }

  // ---- the device ----

  @Override
  public void reset() {
    virtio.powerOn();
    cable.clear();
    link.reset();
  }

  @Override
  public VirtioNetState save() {
    return new VirtioNetState(virtio.save(), mac.clone(), link.save());
  }

  @Override
  public void restore(VirtioNetState state) {
    mac = Checks.length("mac", state.mac(), MAC_BYTES).clone();
    virtio.restore(state.virtio());
    cable.clear();
    link.restore(state.network());
    receiver.wake();
    transmitter.wake();
  }

  @Override
  public void close() {
    link.close();
  }
}
