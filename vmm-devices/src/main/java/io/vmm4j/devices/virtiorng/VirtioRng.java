package io.vmm4j.devices.virtiorng;

import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * A source of entropy (virtio 1.2, 5.4). From the machine's seed it draws by SplitMix64 (Steele,
 * Lea, Flood: Fast splittable pseudorandom number generators), whose place in the row is a count.
 */
final class VirtioRng implements DeviceModel<VirtioRngState>, VirtioFunction {
  private static final int TYPE = 4;
  private static final int OTHER = 0x00_FF_00;
  private static final int QUEUE_SIZE = 8;

  /** The most bytes for one chain: the driver takes fewer than it asked for. */
  private static final int MOST_BYTES = 1 << 16;

  private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

  private final boolean seeded;
  private final long seed;
  private final SecureRandom entropy = new SecureRandom();
  private final VirtioPci virtio;
  private long drawn;

  VirtioRng(VirtioRngConfig config, DeviceContext context) {
    this.seeded = config.seeded() || context.clock().mode() == ClockMode.VIRTUAL;
    this.seed = context.randomSeed();
    this.virtio = new VirtioPci(context, TYPE, OTHER, this);
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE};
  }

  @Override
  public byte[] configuration() {
    return new byte[0];
  }

  @Override
  public void notified(int index) {
    Optional<Virtqueue> ring = virtio.queue(index);
    if (ring.isEmpty()) {
      return;
    }
    try {
      Virtqueue queue = ring.get();
      do {
        Optional<Chain> chain;
        while ((chain = queue.take()).isPresent()) {
          queue.giveBack(chain.get(), fill(chain.get()));
          virtio.interrupt(index);
        }
      } while (!queue.awaitNotification());
    } catch (BadQueueException e) {
      virtio.refuse(index, e);
    }
  }

  private long fill(Chain chain) {
    byte[] bytes = new byte[(int) Math.min(MOST_BYTES, chain.writable().length())];
    if (seeded) {
      draw(bytes);
    } else {
      entropy.nextBytes(bytes);
    }
    chain.write(0, bytes);
    return bytes.length;
  }

  private void draw(byte[] bytes) {
    ByteBuffer words =
        ByteBuffer.allocate(bytes.length + Long.BYTES - 1 & -Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    while (words.hasRemaining()) {
      words.putLong(mixed(seed + GOLDEN * ++drawn));
    }
    words.get(0, bytes);
  }

  private static long mixed(long value) {
    long once = (value ^ value >>> 30) * 0xBF58_476D_1CE4_E5B9L;
    long twice = (once ^ once >>> 27) * 0x94D0_49BB_1331_11EBL;
    return twice ^ twice >>> 31;
  }

  @Override
  public void reset() {
    virtio.powerOn();
    drawn = 0;
  }

  @Override
  public VirtioRngState save() {
    return new VirtioRngState(virtio.save(), drawn);
  }

  @Override
  public void restore(VirtioRngState state) {
    virtio.restore(state.virtio());
    drawn = state.drawn();
  }
}
