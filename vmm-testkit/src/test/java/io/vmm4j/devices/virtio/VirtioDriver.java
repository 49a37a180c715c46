package io.vmm4j.devices.virtio;

import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.testkit.TestMachine;

/** A driver of a virtio device at {@code pci/00:03.0}, as small as one can be: one queue. */
public final class VirtioDriver {
  /** The device's path. */
  public static final String PATH = "pci/00:03.0";

  /** Where buffers may lie. */
  public static final long BUFFERS = 0x4_0000;

  /** Where the queues of {@link #ofQueue} lie. */
  public static final long QUEUES = 0x1_0000;

  public static final int NEXT = 1;
  public static final int WRITE = 2;
  public static final int INDIRECT = 4;

  static final long DESCRIPTORS = QUEUES;
  static final long DRIVER_AREA = 0x2_0000;
  static final long DEVICE_AREA = 0x3_0000;
  static final int QUEUE_SIZE = 8;

  private static final long BAR = 0x80_0000_0000L;
  private static final long NOTIFY = BAR + 0x3000;
  private static final long DEVICE = BAR + 0x2000;
  private static final long INTERRUPT_STATUS = BAR + 0x1000;
  private static final long CONFIGURATION = PciMachine.ECAM + (3L << 15);

  private final TestMachine machine;
  private final boolean packed;
  private final int queue;
  private final long descriptors;
  private final long driverArea;
  private final long deviceArea;
  private int descriptor;
  private int next;
  private int used;
  private boolean wrap = true;
  private boolean usedWrap = true;

  /** Nothing set up yet. */
  public VirtioDriver(TestMachine machine, boolean packed) {
    this(machine, packed, 0);
  }

  /** The same with another queue than the first. */
  public VirtioDriver(TestMachine machine, boolean packed, int queue) {
    this(machine, packed, queue, DESCRIPTORS, DRIVER_AREA, DEVICE_AREA);
  }

  private VirtioDriver(
      TestMachine machine, boolean packed, int queue, long descriptors, long driver, long device) {
    this.machine = machine;
    this.packed = packed;
    this.queue = queue;
    this.descriptors = descriptors;
    this.driverArea = driver;
    this.deviceArea = device;
  }

  /** The driver of one queue of several, in a page of its own from {@link #QUEUES}. */
  public static VirtioDriver ofQueue(TestMachine machine, boolean packed, int queue) {
    long page = QUEUES + 0x1000L * queue;
    return new VirtioDriver(machine, packed, queue, page, page + 0x400, page + 0x800);
  }

  /** Sets a device up with several queues. */
  public static void setUp(long features, VirtioDriver... queues) {
    VirtioDriver first = queues[0];
    first.map();
    first.negotiate(features | 1L << 32 | (first.packed ? 1L << 34 : 0) | 1L << 28);
    for (VirtioDriver driver : queues) {
      driver.enableQueue();
    }
    first.status(15);
  }

  /** Maps the BARs, agrees on features, enables the queue, and says that it is ready. */
  public void setUp() {
    map();
    negotiate(1L << 32 | (packed ? 1L << 34 : 0) | 1L << 28);
    enableQueue();
    status(15);
  }

  /** Maps the BARs. */
  public void map() {
    machine.writeMmio(CONFIGURATION + 0x20, 4, 0);
    machine.writeMmio(CONFIGURATION + 0x24, 4, 0x80);
    machine.writeMmio(CONFIGURATION + 0x14, 4, 0xC000_0000L);
    machine.writeMmio(CONFIGURATION + 4, 2, 6);
  }

  /** Resets the device and accepts features; gives the status. */
  public int negotiate(long features) {
    status(0);
    status(3);
    for (int word = 0; word < 2; word++) {
      machine.writeMmio(BAR + 8, 4, word);
      machine.writeMmio(BAR + 12, 4, features >>> 32 * word & 0xFFFF_FFFFL);
    }
    return status(11);
  }

  /** The features that are offered. */
  public long offered() {
    long features = 0;
    for (int word = 0; word < 2; word++) {
      machine.writeMmio(BAR, 4, word);
      features |= machine.readMmio(BAR + 4, 4) << 32 * word;
    }
    return features;
  }

  /** Says where the queue is, and enables it. */
  public void enableQueue() {
    machine.writeMmio(BAR + 22, 2, queue);
    machine.writeMmio(BAR + 24, 2, QUEUE_SIZE);
    machine.writeMmio(BAR + 32, 8, descriptors);
    machine.writeMmio(BAR + 40, 8, driverArea);
    machine.writeMmio(BAR + 48, 8, deviceArea);
    machine.writeMmio(BAR + 28, 2, 1);
  }

  /** Sets the status; gives what it is then. */
  public int status(int status) {
    machine.writeMmio(BAR + 20, 1, status);
    return status();
  }

  public int status() {
    return (int) machine.readMmio(BAR + 20, 1);
  }

  /** What kinds of interrupt have been raised since the last look. */
  public int interruptStatus() {
    return (int) machine.readMmio(INTERRUPT_STATUS, 1);
  }

  public long configuration(int offset, int size) {
    return machine.readMmio(DEVICE + offset, size);
  }

  /** Leaves each register that selects something at another value than a reset gives it. */
  public void selectAnything() {
    machine.writeMmio(BAR, 4, 1);
    machine.writeMmio(BAR + 8, 4, 1);
    machine.writeMmio(BAR + 22, 2, 1);
    machine.writeMmio(BAR + 16, 2, 0);
    machine.writeMmio(BAR + 22, 2, 0);
    machine.writeMmio(BAR + 26, 2, 1);
    machine.writeMmio(BAR + 22, 2, 1);
  }

  /** A store anywhere in the BAR. */
  public void storeRegister(int offset, int size, long value) {
    machine.writeMmio(BAR + offset, size, value);
  }

  /** A load from anywhere in the BAR. */
  public long loadRegister(int offset, int size) {
    return machine.readMmio(BAR + offset, size);
  }

  /** A buffer. */
  public record Buffer(long address, int length, int flags) {}

  /** Makes a chain of buffers available, and notifies the device. */
  public void submit(Buffer... chain) {
    if (packed) {
      submitPacked(chain);
    } else {
      submitSplit(chain);
    }
    notifyDevice();
  }

  /**
   * The same for a driver that has forgotten how far it was.
   *
   * @param available of a split queue, how many chains were made available before; of a packed one
   *     the place in the ring, and in bit 3 the wrap counter
   */
  void submitAt(int available, Buffer... chain) {
    next = packed ? available % QUEUE_SIZE : available;
    descriptor = available % QUEUE_SIZE;
    wrap = (available & QUEUE_SIZE) == 0;
    submit(chain);
  }

  /** Rings the doorbell, and has the device work. */
  public void notifyDevice() {
    machine.writeMmio(NOTIFY + 4L * queue, 4, queue);
    machine.runTasks();
  }

  private void submitSplit(Buffer... chain) {
    int head = descriptor;
    for (int i = 0; i < chain.length; i++) {
      long at = descriptors + 16L * descriptor;
      descriptor = (descriptor + 1) % QUEUE_SIZE;
      boolean more = i < chain.length - 1;
      machine.memory().writeLong(at, chain[i].address());
      machine.memory().writeInt(at + 8, chain[i].length());
      machine.memory().writeShort(at + 12, chain[i].flags() | (more ? NEXT : 0));
      machine.memory().writeShort(at + 14, descriptor);
    }
    machine.memory().writeShort(driverArea + 4 + 2L * (next % QUEUE_SIZE), head);
    next++;
    machine.memory().writeShort(driverArea + 2, next);
  }

  private void submitPacked(Buffer... chain) {
    for (int i = 0; i < chain.length; i++) {
      long at = descriptors + 16L * next;
      boolean more = i < chain.length - 1;
      machine.memory().writeLong(at, chain[i].address());
      machine.memory().writeInt(at + 8, chain[i].length());
      machine.memory().writeShort(at + 12, 7);
      int flags = chain[i].flags() | (more ? NEXT : 0) | (wrap ? 1 << 7 : 1 << 15);
      machine.memory().writeShort(at + 14, flags);
      if (++next == QUEUE_SIZE) {
        next = 0;
        wrap = !wrap;
      }
    }
  }

  /** Takes the next chain that has come back; how many bytes were written, or -1 if none has. */
  public long takeBack(int count) {
    if (packed) {
      long at = descriptors + 16L * used;
      int flags = machine.memory().readShort(at + 14);
      boolean back = (flags & 1 << 7) != 0 == usedWrap && (flags & 1 << 15) != 0 == usedWrap;
      if (!back) {
        return -1;
      }
      long written = machine.memory().readInt(at + 8) & 0xFFFF_FFFFL;
      used += count;
      if (used >= QUEUE_SIZE) {
        used -= QUEUE_SIZE;
        usedWrap = !usedWrap;
      }
      return written;
    }
    if (machine.memory().readShort(deviceArea + 2) == (used & 0xFFFF)) {
      return -1;
    }
    return machine.memory().readInt(deviceArea + 4 + 8L * (used++ % QUEUE_SIZE) + 4) & 0xFFFF_FFFFL;
  }
}
