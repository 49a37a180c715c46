package io.vmm4j.devices.virtio;

import io.vmm4j.api.memory.GuestMemory;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/** A packed queue (virtio 1.2, 2.8). */
final class PackedQueue implements Virtqueue {
  private static final int DESCRIPTOR_BYTES = 16;
  private static final int NEXT = 1;
  private static final int WRITE = 2;
  private static final int INDIRECT = 4;
  private static final int AVAILABLE = 1 << 7;
  private static final int USED = 1 << 15;
  private static final int WRAP = 1 << 15;
  private static final int EVENTS_OFF = 1;
  private static final int EVENTS_AT = 2;
  private static final int EVENT_FLAGS = 2;
  private static final int MOST_INDIRECT = 1024;

  private final GuestMemory memory;
  private final int size;
  private final long ring;
  private final long driverEvents;
  private final long deviceEvents;
  private final boolean eventIndex;
  private int available;
  private int used;
  private int signalled;

  PackedQueue(
      GuestMemory memory, int size, QueueAddresses at, boolean eventIndex, QueuePosition position) {
    this.memory = memory;
    this.size = size;
    this.ring = at.descriptors();
    this.driverEvents = at.driver();
    this.deviceEvents = at.device();
    this.eventIndex = eventIndex;
    this.available = within(position.available());
    this.used = within(position.used());
    this.signalled = within(position.signalled());
  }

  private int within(int place) {
    return (place & ~WRAP) < size ? place : place & WRAP;
  }

  private long descriptor(int place) {
    return ring + (long) DESCRIPTOR_BYTES * (place & ~WRAP);
  }

  private int ahead(int place, int count) {
    int next = (place & ~WRAP) + count;
    return next >= size ? next - size | (place & WRAP ^ WRAP) : next | place & WRAP;
  }

  private static boolean isAvailable(int flags, int place) {
    boolean wrap = (place & WRAP) != 0;
    return (flags & AVAILABLE) != 0 == wrap && (flags & USED) != 0 != wrap;
  }

  @Override
  public Optional<Chain> take() {
    return BadQueueException.guarded(() -> {
      int flags = memory.readShortAcquire(descriptor(available) + 14);
      return isAvailable(flags, available) ? Optional.of(chain()) : Optional.empty();
    });
  }

  private Chain chain() {
    Chain.Builder chain = new Chain.Builder(memory, Math.max(size, MOST_INDIRECT));
    int place = available;
    int count = 0;
    int flags;
    int id;
    do {
      if (++count > size) {
        throw new BadQueueException("a chain is longer than its ring of %d".formatted(size));
      }
      long at = descriptor(place);
      flags = memory.readShort(at + 14);
      id = memory.readShort(at + 12);
      long address = memory.readLong(at);
      long length = memory.readInt(at + 8) & 0xFFFF_FFFFL;
      if ((flags & INDIRECT) != 0) {
        if ((flags & NEXT) != 0 || count > 1) {
          throw new BadQueueException("an indirect descriptor is part of a chain");
        }
        indirect(chain, address, length);
      } else {
        chain.add(address, length, flags);
      }
      place = ahead(place, 1);
    } while ((flags & NEXT) != 0);
    available = place;
    return chain.build(id, count);
  }

  private void indirect(Chain.Builder chain, long table, long bytes) {
    long count = bytes / DESCRIPTOR_BYTES;
    if (count == 0 || bytes % DESCRIPTOR_BYTES != 0 || count > MOST_INDIRECT) {
      throw new BadQueueException("a table of descriptors has %d bytes".formatted(bytes));
    }
    for (long at = table; at < table + bytes; at += DESCRIPTOR_BYTES) {
      int flags = memory.readShort(at + 14) & WRITE;
      chain.add(memory.readLong(at), memory.readInt(at + 8) & 0xFFFF_FFFFL, flags);
    }
  }

  @Override
  public void giveBack(Chain chain, long written) {
    BadQueueException.guarded(() -> {
      long at = descriptor(used);
      boolean wrap = (used & WRAP) != 0;
      memory.writeShort(at + 12, chain.id());
      memory.writeInt(at + 8, (int) written);
      int flags = wrap ? AVAILABLE | USED : 0;
      memory.writeShortRelease(at + 14, flags | (written != 0 ? WRITE : 0));
      used = ahead(used, chain.descriptors());
      return used;
    });
  }

  @Override
  public boolean wantsInterrupt() {
    return BadQueueException.guarded(() -> {
      int from = signalled;
      signalled = used;
      if (from == used) {
        return false;
      }
      VarHandle.fullFence(); // the descriptors are out before the wish is read
      int flags = memory.readShortAcquire(driverEvents + EVENT_FLAGS) & 3;
      if (flags != EVENTS_AT || !eventIndex) {
        return flags != EVENTS_OFF;
      }
      int event = within(memory.readShort(driverEvents));
      return distance(from, event) < distance(from, used);
    });
  }

  /** How many places lie between two, going round at most once. */
  private int distance(int from, int to) {
    int places = (to & ~WRAP) - (from & ~WRAP) + ((from ^ to) >= WRAP ? size : 0);
    return places < 0 ? places + 2 * size : places;
  }

  @Override
  public boolean awaitNotification() {
    return BadQueueException.guarded(() -> {
      memory.writeShort(deviceEvents, available);
      memory.writeShortRelease(deviceEvents + EVENT_FLAGS, eventIndex ? EVENTS_AT : 0);
      VarHandle.fullFence(); // the wish is out before the descriptor is read
      int flags = memory.readShortAcquire(descriptor(available) + 14);
      return !isAvailable(flags, available);
    });
  }

  @Override
  public void awaitFurther() {
    BadQueueException.guarded(() -> {
      int place = available;
      for (int i = 0; i < size; i++) {
        if (!isAvailable(memory.readShortAcquire(descriptor(place) + 14), place)) {
          break;
        }
        place = ahead(place, 1);
      }
      memory.writeShort(deviceEvents, place);
      memory.writeShortRelease(deviceEvents + EVENT_FLAGS, eventIndex ? EVENTS_AT : 0);
      return place;
    });
  }

  @Override
  public QueuePosition position() {
    return new QueuePosition(available, used, signalled);
  }
}
