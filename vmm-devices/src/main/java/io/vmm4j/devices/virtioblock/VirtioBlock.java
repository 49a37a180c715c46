package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.block.Overlay;
import io.vmm4j.devices.block.RawFile;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A disk (virtio 1.2, 5.2). Each queue has a thread, which does its requests one after the other
 * without the machine lock.
 */
final class VirtioBlock implements DeviceModel<VirtioBlockState>, VirtioFunction {
  private static final Logger LOG = LoggerFactory.getLogger(VirtioBlock.class);
  private static final int TYPE = 2;
  private static final int MASS_STORAGE = 0x01_00_00;
  private static final int QUEUE_SIZE = 256;
  private static final int MOST_SEGMENTS = QUEUE_SIZE - 2;
  private static final int CONFIGURATION_BYTES = 60;
  private static final byte[] QCOW_MAGIC = {'Q', 'F', 'I', (byte) 0xFB};

  private static final long SEGMENTS = 1L << 2;
  private static final long READ_ONLY = 1L << 5;
  private static final long BLOCK_SIZE = 1L << 6;
  private static final long FLUSH = 1L << 9;
  private static final long TOPOLOGY = 1L << 10;
  private static final long QUEUES = 1L << 12;
  private static final long DISCARD = 1L << 13;
  private static final long WRITE_ZEROES = 1L << 14;

  /** 4 KiB, in sectors: what the overlay takes as a whole. */
  private static final int SECTORS_OF_BLOCK = Overlay.BLOCK_BYTES / BlockRequest.SECTOR_BYTES;

  private final VirtioBlockConfig config;
  private final String path;
  private final BlockStorage storage;
  private final Optional<Overlay> overlay;
  private final VirtioPci virtio;
  private final List<DeviceWorker> workers = new ArrayList<>();

  VirtioBlock(VirtioBlockConfig config, DeviceContext context) {
    this.config = config;
    this.path = context.path();
    RawFile file = open(config, path);
    try {
      if (config.mode() == DiskMode.OVERLAY) {
        Overlay made = new Overlay(file, context.deviceMemory("overlay", overlaySize(file)));
        this.overlay = Optional.of(made);
        this.storage = made;
      } else {
        this.overlay = Optional.empty();
        this.storage = file;
      }
      this.virtio = new VirtioPci(context, TYPE, MASS_STORAGE, this);
      for (int i = 0; i < config.queues(); i++) {
        int queue = i;
        workers.add(context.worker("queue" + i, () -> take(queue)));
      }
    } catch (RuntimeException e) {
      close(file);
      throw e;
    }
  }

  /** Room for all of the disk, but no more than the configuration says. */
  private MemorySize overlaySize(RawFile file) {
    long whole = file.sizeBytes() + Overlay.BLOCK_BYTES - 1;
    long bytes = Math.min(whole, config.overlayBytes());
    return MemorySize.bytes(bytes / Overlay.BLOCK_BYTES * Overlay.BLOCK_BYTES);
  }

  private static RawFile open(VirtioBlockConfig config, String path) {
    if (config.file().isBlank()) {
      throw new DeviceException(path, "'file' must name the file of the disk");
    }
    try {
      RawFile file = RawFile.open(Path.of(config.file()), config.mode() == DiskMode.DIRECT);
      if (isQcow(file)) {
        file.close();
        throw new DeviceException(
            path, "disk '%s' is a qcow2 image, which is not read yet".formatted(config.file()));
      }
      if (file.sizeBytes() == 0 || file.sizeBytes() % BlockRequest.SECTOR_BYTES != 0) {
        file.close();
        throw new DeviceException(
            path,
            "disk '%s' has %d bytes, which are no whole sectors"
                .formatted(config.file(), file.sizeBytes()));
      }
      return file;
    } catch (IOException | InvalidPathException e) {
      throw new DeviceException(
          path, "cannot open the disk '%s': %s".formatted(config.file(), e), e);
    }
  }

  private static boolean isQcow(RawFile file) throws IOException {
    byte[] magic = new byte[QCOW_MAGIC.length];
    if (file.sizeBytes() >= magic.length) {
      file.read(0, MemorySegment.ofArray(magic));
    }
    return Arrays.equals(magic, QCOW_MAGIC);
  }

  // ---- as virtio sees it ----

  @Override
  public long features() {
    long writes = DISCARD | WRITE_ZEROES;
    return SEGMENTS
        | BLOCK_SIZE
        | FLUSH
        | TOPOLOGY
        | (config.queues() > 1 ? QUEUES : 0)
        | (config.mode() == DiskMode.READONLY ? READ_ONLY : writes);
  }

  @Override
  public int[] queueSizes() {
    int[] sizes = new int[config.queues()];
    Arrays.fill(sizes, QUEUE_SIZE);
    return sizes;
  }

  @Override
  public byte[] configuration() {
    ByteBuffer b = ByteBuffer.allocate(CONFIGURATION_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(0, storage.sizeBytes() / BlockRequest.SECTOR_BYTES);
    b.putInt(12, MOST_SEGMENTS).putInt(20, BlockRequest.SECTOR_BYTES);
    b.put(24, (byte) Integer.numberOfTrailingZeros(SECTORS_OF_BLOCK));
    b.putShort(26, (short) SECTORS_OF_BLOCK).putInt(28, SECTORS_OF_BLOCK);
    b.putShort(34, (short) config.queues());
    b.putInt(36, BlockRequest.MOST_ZERO_SECTORS).putInt(40, BlockRequest.MOST_ZERO_RANGES);
    b.putInt(44, SECTORS_OF_BLOCK);
    b.putInt(48, BlockRequest.MOST_ZERO_SECTORS).putInt(52, BlockRequest.MOST_ZERO_RANGES);
    b.put(56, (byte) 1);
    return b.array();
  }

  @Override
  public void notified(int queue) {
    workers.get(queue).wake();
  }

  @Override
  public void stop(Runnable done) {
    stop(0, done);
  }

  /** Waits for the workers from one on. */
  private void stop(int first, Runnable done) {
    if (first == workers.size()) {
      done.run();
    } else {
      workers.get(first).whenIdle(() -> stop(first + 1, done));
    }
  }

  // ---- requests ----

  private Optional<DeviceWorker.Request> take(int index) {
    Optional<Virtqueue> ring = virtio.queue(index);
    if (ring.isEmpty()) {
      return Optional.empty();
    }
    try {
      Virtqueue queue = ring.get();
      do {
        Optional<Chain> chain = queue.take();
        if (chain.isPresent()) {
          BlockRequest request = new BlockRequest(chain.get(), path, storage, config.serial());
          return Optional.of(new Work(index, queue, request));
        }
      } while (!queue.awaitNotification());
    } catch (BadQueueException e) {
      virtio.refuse(index, e);
    }
    return Optional.empty();
  }

  private final class Work implements DeviceWorker.Request {
    private final int index;
    private final Virtqueue queue;
    private final BlockRequest request;

    Work(int index, Virtqueue queue, BlockRequest request) {
      this.index = index;
      this.queue = queue;
      this.request = request;
    }

    @Override
    public void work() {
      request.work();
    }

    @Override
    public void complete() {
      try {
        queue.giveBack(request.chain(), request.written());
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
  }

  @Override
  public VirtioBlockState save() {
    return new VirtioBlockState(
        virtio.save(),
        storage.sizeBytes(),
        overlay.map(Overlay::blocks).orElseGet(() -> new byte[0]));
  }

  @Override
  public void restore(VirtioBlockState state) {
    if (state.diskBytes() != storage.sizeBytes()) {
      throw new IllegalArgumentException(
          "diskBytes: %d, but '%s' has %d"
              .formatted(state.diskBytes(), config.file(), storage.sizeBytes()));
    }
    virtio.restore(state.virtio());
    overlay.ifPresent(kept -> kept.setBlocks(state.overlay()));
    workers.forEach(DeviceWorker::wake);
  }

  @Override
  public void close() {
    close(storage);
  }

  private void close(BlockStorage what) {
    try {
      what.close();
    } catch (IOException e) {
      LOG.warn("{}: '{}' can't be closed: {}", path, config.file(), e.toString());
    }
  }
}
