package io.vmm4j.devices.virtio;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.pci.BarKind;
import io.vmm4j.api.pci.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transport of a modern virtio device over PCI (virtio 1.2, 4.1): features, status, queues,
 * notifications, interrupts. With the machine lock held.
 */
public final class VirtioPci {
  /** The vendor of all virtio devices. */
  public static final int VENDOR = 0x1AF4;

  private static final Logger LOG = LoggerFactory.getLogger(VirtioPci.class);
  private static final int FIRST_DEVICE = 0x1040;

  private static final long INDIRECT_DESCRIPTORS = 1L << 28;
  private static final long EVENT_INDEX = 1L << 29;
  private static final long VERSION_1 = 1L << 32;
  private static final long PACKED_RING = 1L << 34;
  private static final long OF_TRANSPORT =
      INDIRECT_DESCRIPTORS | EVENT_INDEX | VERSION_1 | PACKED_RING;

  private static final int STATUS_DRIVER_OK = 4;
  private static final int STATUS_FEATURES_OK = 8;
  private static final int STATUS_NEEDS_RESET = 64;

  private static final int INTERRUPT_QUEUE = 1;
  private static final int INTERRUPT_CONFIGURATION = 2;
  private static final int NO_VECTOR = 0xFFFF;

  // The regions of the BAR, a page each.
  private static final int BAR = 4;
  private static final int TABLE_BAR = 1;
  private static final int BAR_BYTES = 0x4000;
  private static final int REGION_BYTES = 0x1000;
  private static final int COMMON = 0;
  private static final int INTERRUPT_STATUS = 1;
  private static final int DEVICE = 2;
  private static final int NOTIFY = 3;
  private static final int NOTIFY_BYTES = 4;

  /** The structures' types (4.1.4), by region. */
  private static final int[] TYPES = {1, 3, 4, 2};

  private static final int COMMON_BYTES = 60;

  /** A queue's registers. */
  private static final class Queue {
    private final int most;
    private int size;
    private int vector = NO_VECTOR;
    private boolean enabled;
    private long descriptors;
    private long driver;
    private long device;
    private Optional<Virtqueue> ring = Optional.empty();

    Queue(int most) {
      this.most = most;
      this.size = most;
    }

    void reset() {
      size = most;
      vector = NO_VECTOR;
      enabled = false;
      descriptors = 0;
      driver = 0;
      device = 0;
      ring = Optional.empty();
    }
  }

  private final DeviceContext context;
  private final VirtioFunction function;
  private final PciFunction pci;
  private final int vectors;
  private final List<Queue> queues = new ArrayList<>();
  private int status;
  private long driverFeatures;
  private int deviceFeatureSelect;
  private int driverFeatureSelect;
  private int queueSelect;
  private int configurationVector = NO_VECTOR;
  private int generation;
  private int interruptStatus;
  private boolean stopping;
  private boolean complained;

  /**
   * Puts a device on the bus above its path.
   *
   * @param type of the device (virtio 1.2, 5)
   * @param classCode of the PCI function, 24 bits
   */
  public VirtioPci(DeviceContext context, int type, int classCode, VirtioFunction function) {
    this.context = context;
    this.function = function;
    for (int size : function.queueSizes()) {
      queues.add(new Queue(size));
    }
    this.vectors = queues.size() + 1;
    PciFunction.Builder builder =
        PciFunction.builder(context, VENDOR, FIRST_DEVICE + type, classCode)
            .revision(1)
            .subsystem(VENDOR, FIRST_DEVICE + type)
            .pin(1);
    builder.memoryBar(BAR, BarKind.PREFETCHABLE_64, BAR_BYTES, AccessWidth.QWORD, new Registers());
    builder.messageTable(TABLE_BAR, vectors);
    for (int region = 0; region < TYPES.length; region++) {
      byte[] body = structure(region);
      builder.vendorCapability(body, new byte[body.length]);
    }
    builder.express(this::reset);
    this.pci = builder.build();
  }

  /** The capability of a structure, behind its id and link (4.1.4). */
  private byte[] structure(int region) {
    int bytes = region == NOTIFY ? 18 : 14;
    ByteBuffer body = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    body.put(0, (byte) (bytes + 2)).put(1, (byte) TYPES[region]).put(2, (byte) BAR);
    int length =
        switch (region) {
          case COMMON -> COMMON_BYTES;
          case INTERRUPT_STATUS -> 1;
          case DEVICE -> Math.max(1, function.configuration().length);
          default -> NOTIFY_BYTES * queues.size();
        };
    body.putInt(6, region * REGION_BYTES).putInt(10, length);
    if (region == NOTIFY) {
      body.putInt(14, NOTIFY_BYTES);
    }
    return body.array();
  }

  // ---- for the device ----

  /** A queue that the driver has enabled, while it is ready and has done nothing wrong. */
  public Optional<Virtqueue> queue(int index) {
    return isRunning() ? queues.get(index).ring : Optional.empty();
  }

  private boolean isRunning() {
    return (status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK
        && !stopping
        && pci.isBusMaster();
  }

  /** The features that driver and device have agreed on. */
  public long features() {
    return driverFeatures;
  }

  /** Tells the driver of what was given back in a queue, if it wants to know. */
  public void interrupt(int index) {
    Queue queue = queues.get(index);
    queue.ring.filter(Virtqueue::wantsInterrupt).ifPresent(ring -> raiseQueue(queue));
  }

  private void raiseQueue(Queue queue) {
    raise(queue.vector, INTERRUPT_QUEUE);
  }

  /** Tells the driver that the device's configuration is another. */
  public void configurationChanged() {
    generation = generation + 1 & 0xFF;
    if ((status & STATUS_DRIVER_OK) != 0) {
      raise(configurationVector, INTERRUPT_CONFIGURATION);
    }
  }

  private void raise(int vector, int bit) {
    if (!pci.raise(vector == NO_VECTOR ? -1 : vector)) {
      interruptStatus |= bit;
      pci.setInterrupt(true);
    }
  }

  /**
   * The driver has put something into a queue that no driver may: the device does nothing more
   * until it is reset, and the log says why, once.
   */
  public void refuse(int queue, BadQueueException e) {
    if (!complained) {
      complained = true;
      LOG.warn(
          "{}: the guest's driver is at fault: queue {}: {}",
          context.path(),
          queue,
          e.getMessage());
    }
    status |= STATUS_NEEDS_RESET;
    raise(configurationVector, INTERRUPT_CONFIGURATION);
  }

  // ---- features and status ----

  private long offered() {
    return function.features() | OF_TRANSPORT;
  }

  private void setStatus(int value) {
    if (value == 0) {
      stop(this::resetRegisters);
      return;
    }
    int wanted = value | status & STATUS_NEEDS_RESET;
    if ((wanted & STATUS_FEATURES_OK) != 0
        && ((driverFeatures & ~offered()) != 0 || (driverFeatures & VERSION_1) == 0)) {
      wanted &= ~STATUS_FEATURES_OK;
    }
    boolean starts = (wanted & ~status & STATUS_DRIVER_OK) != 0;
    status = wanted;
    if (starts) {
      function.start(driverFeatures);
      for (int i = 0; i < queues.size(); i++) {
        notified(i);
      }
    }
  }

  private void notified(int index) {
    if (queue(index).isPresent()) {
      function.notified(index);
    }
  }

  /** Has the device end its requests; then it is reset. */
  private void stop(Runnable then) {
    stopping = true;
    function.stop(() -> {
      stopping = false;
      then.run();
    });
  }

  private void resetRegisters() {
    status = 0;
    driverFeatures = 0;
    deviceFeatureSelect = 0;
    driverFeatureSelect = 0;
    queueSelect = 0;
    configurationVector = NO_VECTOR;
    interruptStatus = 0;
    queues.forEach(Queue::reset);
    pci.setInterrupt(false);
  }

  /** Returns to the state after power-on. */
  public void reset() {
    stop(() -> {
      resetRegisters();
      generation = 0;
    });
  }

  /** The same with the PCI function. */
  public void powerOn() {
    pci.reset();
    reset();
  }

  private void enable(Queue queue) {
    QueueAddresses at = new QueueAddresses(queue.descriptors, queue.driver, queue.device);
    queue.enabled = true;
    queue.ring =
        Optional.of(ring(queue, at, isPacked() ? QueuePosition.PACKED : QueuePosition.SPLIT));
  }

  private boolean isPacked() {
    return (driverFeatures & PACKED_RING) != 0;
  }

  private Virtqueue ring(Queue queue, QueueAddresses at, QueuePosition position) {
    boolean eventIndex = (driverFeatures & EVENT_INDEX) != 0;
    return isPacked()
        ? new PackedQueue(context.memory(), queue.size, at, eventIndex, position)
        : new SplitQueue(context.memory(), queue.size, at, eventIndex, position);
  }

  // ---- the BAR ----

  private final class Registers implements MmioHandler {
    @Override
    public long read(long offset, int size) {
      int in = (int) offset & REGION_BYTES - 1;
      return switch ((int) offset / REGION_BYTES) {
        case COMMON -> slice(common(), in, size);
        case INTERRUPT_STATUS -> in == 0 ? takeInterruptStatus() : 0;
        case DEVICE -> slice(function.configuration(), in, size);
        default -> 0;
      };
    }

    @Override
    public void write(long offset, int size, long value) {
      int in = (int) offset & REGION_BYTES - 1;
      switch ((int) offset / REGION_BYTES) {
        case COMMON -> writeCommon(in, size, value);
        case DEVICE -> {
          int length = function.configuration().length;
          for (int i = 0; i < size && in + i < length; i++) {
            function.configure(in + i, (int) (value >>> 8 * i) & 0xFF);
          }
        }
        case NOTIFY -> {
          if (in / NOTIFY_BYTES < queues.size()) {
            VirtioPci.this.notified(in / NOTIFY_BYTES);
          }
        }
        default -> {
          // The interrupt status is not written.
        }
      }
    }
  }

  private static long slice(byte[] bytes, int offset, int size) {
    long value = 0;
    for (int i = 0; i < size && offset + i < bytes.length; i++) {
      value |= (bytes[offset + i] & 0xFFL) << 8 * i;
    }
    return value;
  }

  private int takeInterruptStatus() {
    int taken = interruptStatus;
    interruptStatus = 0;
    pci.setInterrupt(false);
    return taken;
  }

  /** The common configuration (4.1.4.3). */
  private byte[] common() {
    ByteBuffer b = ByteBuffer.allocate(COMMON_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0, deviceFeatureSelect).putInt(4, word(offered(), deviceFeatureSelect));
    b.putInt(8, driverFeatureSelect).putInt(12, word(driverFeatures, driverFeatureSelect));
    b.putShort(16, (short) configurationVector).putShort(18, (short) queues.size());
    b.put(20, (byte) status).put(21, (byte) generation).putShort(22, (short) queueSelect);
    if (queueSelect < queues.size()) {
      Queue queue = queues.get(queueSelect);
      b.putShort(24, (short) queue.size).putShort(26, (short) queue.vector);
      b.putShort(28, (short) (queue.enabled ? 1 : 0)).putShort(30, (short) queueSelect);
      b.putLong(32, queue.descriptors).putLong(40, queue.driver).putLong(48, queue.device);
    }
    return b.array();
  }

  private static int word(long features, int select) {
    return select == 0 ? (int) features : select == 1 ? (int) (features >>> 32) : 0;
  }

  private void writeCommon(int offset, int size, long value) {
    if (size == 8) {
      writeCommon(offset, 4, value & 0xFFFF_FFFFL);
      writeCommon(offset + 4, 4, value >>> 32);
      return;
    }
    switch (offset) {
      case 0 -> deviceFeatureSelect = (int) value;
      case 8 -> driverFeatureSelect = (int) value;
      case 12 -> accept((int) value);
      case 16 -> configurationVector = vector((int) value);
      case 20 -> setStatus((int) value & 0xFF);
      case 22 -> queueSelect = (int) value & 0xFFFF;
      default -> {
        if (queueSelect < queues.size()) {
          writeQueue(queues.get(queueSelect), offset, value);
        }
      }
    }
  }

  private void accept(int word) {
    if ((status & STATUS_FEATURES_OK) == 0 && driverFeatureSelect >>> 1 == 0) {
      int shift = 32 * driverFeatureSelect;
      driverFeatures = driverFeatures & ~(0xFFFF_FFFFL << shift) | (word & 0xFFFF_FFFFL) << shift;
    }
  }

  private int vector(int value) {
    return (value & 0xFFFF) < vectors ? value & 0xFFFF : NO_VECTOR;
  }

  private void writeQueue(Queue queue, int offset, long value) {
    if (offset == 26) {
      queue.vector = vector((int) value);
      return;
    }
    if (queue.enabled) {
      return; // nothing of it may be changed then (4.1.4.3.2)
    }
    switch (offset) {
      case 24 -> {
        int size = (int) value & 0xFFFF;
        if (size > 0 && size <= queue.most && (isPacked() || Integer.bitCount(size) == 1)) {
          queue.size = size;
        }
      }
      case 28 -> {
        if ((value & 0xFFFF) == 1 && (status & STATUS_FEATURES_OK) != 0) {
          enable(queue);
        }
      }
      case 32 -> queue.descriptors = low(queue.descriptors, value);
      case 36 -> queue.descriptors = high(queue.descriptors, value);
      case 40 -> queue.driver = low(queue.driver, value);
      case 44 -> queue.driver = high(queue.driver, value);
      case 48 -> queue.device = low(queue.device, value);
      case 52 -> queue.device = high(queue.device, value);
      default -> {
        // Read-only, or nothing.
      }
    }
  }

  private static long low(long address, long value) {
    return address & ~0xFFFF_FFFFL | value & 0xFFFF_FFFFL;
  }

  private static long high(long address, long value) {
    return address & 0xFFFF_FFFFL | value << 32;
  }

  // ---- state ----

  /** The state of the transport. */
  public VirtioState save() {
    List<VirtioState.Queue> saved = new ArrayList<>();
    for (Queue queue : queues) {
      QueuePosition position = queue.ring.map(Virtqueue::position).orElse(QueuePosition.SPLIT);
      saved.add(
          new VirtioState.Queue(
              queue.size,
              queue.vector,
              queue.enabled,
              queue.descriptors,
              queue.driver,
              queue.device,
              position));
    }
    return new VirtioState(
        pci.save(),
        status,
        driverFeatures,
        deviceFeatureSelect,
        driverFeatureSelect,
        queueSelect,
        configurationVector,
        generation,
        interruptStatus,
        saved);
  }

  /**
   * Takes on a saved state; the device then looks at all of its queues.
   *
   * @throws IllegalArgumentException if a value is out of range; the message names it
   */
  public void restore(VirtioState state) {
    if (state.queues().size() != queues.size()) {
      throw new IllegalArgumentException(
          "queues: %d, but the device has %d".formatted(state.queues().size(), queues.size()));
    }
    for (int i = 0; i < queues.size(); i++) {
      int size = state.queues().get(i).size();
      if (size < 1 || size > queues.get(i).most) {
        throw new IllegalArgumentException("size of queue %d: %d".formatted(i, size));
      }
    }
    status = state.status() & 0xFF;
    boolean agreed = (status & STATUS_FEATURES_OK) != 0;
    driverFeatures = state.driverFeatures() & (agreed ? offered() : -1);
    deviceFeatureSelect = state.deviceFeatureSelect();
    driverFeatureSelect = state.driverFeatureSelect();
    queueSelect = state.queueSelect() & 0xFFFF;
    configurationVector = vector(state.configurationVector());
    generation = state.generation() & 0xFF;
    interruptStatus = state.interruptStatus() & 3;
    for (int i = 0; i < queues.size(); i++) {
      restore(queues.get(i), state.queues().get(i));
    }
    pci.restore(state.pci());
  }

  private void restore(Queue queue, VirtioState.Queue saved) {
    queue.size = saved.size();
    queue.vector = vector(saved.vector());
    queue.enabled = saved.enabled();
    queue.descriptors = saved.descriptors();
    queue.driver = saved.driver();
    queue.device = saved.device();
    QueueAddresses at = new QueueAddresses(queue.descriptors, queue.driver, queue.device);
    queue.ring =
        saved.enabled() ? Optional.of(ring(queue, at, saved.position())) : Optional.empty();
  }
}
