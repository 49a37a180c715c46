package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.Disk;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.block.DiskFiles;
import io.vmm4j.devices.block.DiskImageException;
import io.vmm4j.devices.block.Overlay;
import io.vmm4j.devices.block.RawImageWriter;
import io.vmm4j.devices.block.SharedStorage;
import io.vmm4j.devices.block.qcow.QcowImageWriter;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A disk (virtio 1.2, 5.2). Each queue has a thread, which does its requests one after the other
 * without the machine lock.
 */
final class VirtioBlock implements DeviceModel<VirtioBlockState>, VirtioFunction {
  private static final Logger LOG = LoggerFactory.getLogger(VirtioBlock.class);
  private static final String OVERLAY = "overlay";
  private static final int TOLD_FAILURES = 20;
  private static final int TYPE = 2;
  private static final long MOST_BYTES = 64L << 40;
  private static final int MASS_STORAGE = 0x01_00_00;
  private static final int QUEUE_SIZE = 256;
  private static final int MOST_SEGMENTS = QUEUE_SIZE - 2;
  private static final int CONFIGURATION_BYTES = 60;

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
  private final SharedStorage storage;
  private final Optional<Overlay> overlay;
  private final DiskOrigin origin;
  private final List<Path> files;
  private final DeviceContext context;
  private final AtomicInteger failures = new AtomicInteger();
  private final VirtioPci virtio;
  private final List<DeviceWorker> workers = new ArrayList<>();

  VirtioBlock(VirtioBlockConfig config, DeviceContext context) {
    this.config = config;
    this.context = context;
    this.path = context.path();
    BlockStorage file = open(config, path);
    this.origin = new DiskOrigin(file);
    this.files = file.files();
    try {
      if (config.mode() == DiskMode.OVERLAY) {
        Overlay made = new Overlay(file, memory(file));
        this.overlay = Optional.of(made);
        this.storage = new SharedStorage(made);
      } else {
        this.overlay = Optional.empty();
        this.storage = new SharedStorage(file);
      }
      if (!context.restoring()) {
        look();
      }
      this.virtio = new VirtioPci(context, TYPE, MASS_STORAGE, this);
      for (int i = 0; i < config.queues(); i++) {
        int queue = i;
        workers.add(context.worker("queue" + i, () -> take(queue)));
      }
      context.offer(Disk.class, new Offered());
    } catch (RuntimeException e) {
      close(file);
      throw e;
    }
  }

  /** As the snapshot has it, or as the configuration says. */
  private DeviceMemory memory(BlockStorage file) {
    return context
        .restoredMemory(OVERLAY)
        .orElseGet(() -> newMemory(overlaySize(config, file.sizeBytes())));
  }

  private DeviceMemory newMemory(MemorySize size) {
    DeviceMemory given = context.sparseMemory(OVERLAY, size);
    if (!given.size().equals(size)) {
      LOG.info("{}: an overlay of {} in place of {}", path, given.size(), size);
    }
    return given;
  }

  /** Room for all of a disk that may double, but no more than the configuration says. */
  private static MemorySize overlaySize(VirtioBlockConfig config, long diskBytes) {
    long most =
        config.overlayBytes() == 0 ? VirtioBlockConfig.MOST_OVERLAY_BYTES : config.overlayBytes();
    long blocks = (diskBytes - 1) / Overlay.BLOCK_BYTES + 1;
    return MemorySize.bytes(Math.min(2 * blocks, most / Overlay.BLOCK_BYTES) * Overlay.BLOCK_BYTES);
  }

  /** How much memory a disk asks for, as far as its file tells. */
  static long overlayBytes(VirtioBlockConfig config) {
    if (config.mode() != DiskMode.OVERLAY || config.file().isBlank()) {
      return 0;
    }
    try (BlockStorage file = DiskFiles.open(Path.of(config.file()), config.format(), false)) {
      return overlaySize(config, file.sizeBytes()).bytes();
    } catch (IOException | InvalidPathException e) {
      return 0; // which creating it is going to say
    }
  }

  private void look() {
    try {
      origin.look();
    } catch (IOException e) {
      throw new DeviceException(
          path, "cannot read the disk '%s': %s".formatted(config.file(), e), e);
    }
  }

  private static BlockStorage open(VirtioBlockConfig config, String path) {
    if (config.file().isBlank()) {
      throw new DeviceException(path, "'file' must name the file of the disk");
    }
    try {
      BlockStorage file =
          DiskFiles.open(Path.of(config.file()), config.format(), config.mode() == DiskMode.DIRECT);
      if (file.sizeBytes() == 0 || file.sizeBytes() % BlockRequest.SECTOR_BYTES != 0) {
        file.close();
        throw new DeviceException(
            path,
            "disk '%s' has %d bytes, which are no whole sectors"
                .formatted(config.file(), file.sizeBytes()));
      }
      return file;
    } catch (DiskImageException e) {
      throw new DeviceException(path, "disk %s".formatted(e.getMessage()), e);
    } catch (IOException | InvalidPathException e) {
      throw new DeviceException(
          path, "cannot open the disk '%s': %s".formatted(config.file(), reason(e)), e);
    }
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
          BlockRequest request =
              new BlockRequest(chain.get(), this::failed, storage, config.serial());
          return Optional.of(new Work(index, queue, request));
        }
      } while (!queue.awaitNotification());
    } catch (BadQueueException e) {
      virtio.refuse(index, e);
    }
    return Optional.empty();
  }

  /** What the machine's user reaches, from any thread and without the machine lock. */
  private final class Offered implements Disk {
    @Override
    public long sizeBytes() {
      return storage.sizeBytes();
    }

    @Override
    public void resize(long sizeBytes) throws IOException {
      if (config.mode() == DiskMode.READONLY) {
        throw new IOException("the disk '%s' is not to be written".formatted(path));
      }
      if (sizeBytes % BlockRequest.SECTOR_BYTES != 0 || sizeBytes > MOST_BYTES) {
        throw new IllegalArgumentException(
            "a disk of %d bytes: whole sectors, and 64 TiB at most, are possible"
                .formatted(sizeBytes));
      }
      storage.grow(sizeBytes);
      context.execute(virtio::configurationChanged);
    }

    @Override
    public void exportTo(Path file, Format format) throws IOException {
      for (Path own : files) {
        if (Files.exists(file) && Files.exists(own) && Files.isSameFile(file, own)) {
          throw new IOException("%s is a file of the disk %s itself".formatted(file, path));
        }
      }
      context.replaceFile(
          file,
          out ->
              storage.copyTo(
                  switch (format) {
                    case RAW -> new RawImageWriter(out, storage.sizeBytes());
                    case QCOW2 -> new QcowImageWriter(out, storage.sizeBytes());
                  }));
    }
  }

  private static String reason(Exception e) {
    return e instanceof FileSystemException known && known.getReason() != null
        ? known.getReason()
        : String.valueOf(e.getMessage());
  }

  /** A guest may ask for what fails for ever: the log has the first few. */
  private void failed(IOException e) {
    int count = failures.incrementAndGet();
    if (count <= TOLD_FAILURES) {
      LOG.warn("{}: {}: {}", path, config.file(), reason(e));
    }
    if (count == TOLD_FAILURES) {
      LOG.warn("{}: further failures of requests are not told", path);
    }
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
      storage.request(request::work);
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
  public void quiesce() {
    storage.hold();
  }

  @Override
  public void resume() {
    storage.release();
  }

  @Override
  public VirtioBlockState save() {
    if (config.mode() == DiskMode.DIRECT) {
      look(); // it is what the guest has made of it
    }
    return new VirtioBlockState(
        virtio.save(),
        storage.sizeBytes(),
        overlay.map(Overlay::baseBytes).orElseGet(storage::sizeBytes),
        overlay.map(Overlay::blocks).orElseGet(() -> new byte[0]),
        origin.identities());
  }

  @Override
  public void restore(VirtioBlockState state) {
    long bytes = overlay.map(Overlay::baseBytes).orElseGet(storage::sizeBytes);
    if (state.baseBytes() != bytes) {
      throw new DeviceException(
          path,
          "the disk '%s' has %d bytes; it had %d"
              .formatted(config.file(), bytes, state.baseBytes()));
    }
    if (context.acceptsOtherContents()) {
      look();
    } else {
      adopt(state);
    }
    virtio.restore(state.virtio());
    overlay.ifPresent(kept -> kept.setBlocks(state.diskBytes(), state.overlay()));
    storage.replaced();
    workers.forEach(DeviceWorker::wake);
  }

  private void adopt(VirtioBlockState state) {
    try {
      // Times are coarse: a write just after the snapshot may not show in them.
      boolean thorough = config.mode() == DiskMode.DIRECT;
      origin
          .adopt(state.files(), thorough)
          .ifPresent(difference -> {
            throw new DeviceException(
                path, "the disk is not the one of the snapshot: %s".formatted(difference));
          });
    } catch (IOException e) {
      throw new DeviceException(
          path, "cannot read the disk '%s': %s".formatted(config.file(), e), e);
    }
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
