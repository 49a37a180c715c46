package io.vmm4j.devices.virtio;

import io.vmm4j.api.memory.GuestMemory;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/** A split queue (virtio 1.2, 2.7). */
final class SplitQueue implements Virtqueue {
  private static final int DESCRIPTOR_BYTES = 16;
  private static final int NEXT = 1;
  private static final int INDIRECT = 4;
  private static final int NO_INTERRUPT = 1;
  private static final int INDEX = 2;
  private static final int RING = 4;
  private static final int USED_BYTES = 8;
  private static final int MOST_INDIRECT = 1024;

  private final GuestMemory memory;
  private final int size;
  private final long descriptors;
  private final long availableRing;
  private final long usedRing;
  private final boolean eventIndex;
  private int available;
  private int used;
  private int signalled;

  SplitQueue(
      GuestMemory memory, int size, QueueAddresses at, boolean eventIndex, QueuePosition position) {
    this.memory = memory;
    this.size = size;
    this.descriptors = at.descriptors();
    this.availableRing = at.driver();
    this.usedRing = at.device();
    this.eventIndex = eventIndex;
    this.available = position.available();
    this.used = position.used();
    this.signalled = position.signalled();
  }

  @Override
  public Optional<Chain> take() {
    return BadQueueException.guarded(() -> {
      int ahead = memory.readShortAcquire(availableRing + INDEX) - available & 0xFFFF;
      if (ahead == 0) {
        return Optional.empty();
      }
      if (ahead > size) {
        throw new BadQueueException(
            "%d chains are available in a queue of %d".formatted(ahead, size));
      }
      int head = memory.readShort(availableRing + RING + 2L * (available % size));
      Chain chain = chain(head);
      available = available + 1 & 0xFFFF;
      return Optional.of(chain);
    });
  }

  private Chain chain(int head) {
    Chain.Builder chain = new Chain.Builder(memory, Math.max(size, MOST_INDIRECT));
    int index = head;
    while (true) {
      if (index >= size) {
        throw new BadQueueException("descriptor %d of %d".formatted(index, size));
      }
      long at = descriptors + (long) DESCRIPTOR_BYTES * index;
      int flags = memory.readShort(at + 12);
      long address = memory.readLong(at);
      long length = memory.readInt(at + 8) & 0xFFFF_FFFFL;
      if ((flags & INDIRECT) != 0) {
        if ((flags & NEXT) != 0) {
          throw new BadQueueException("an indirect descriptor has a next one");
        }
        indirect(chain, address, length);
        break;
      }
      chain.add(address, length, flags);
      if ((flags & NEXT) == 0) {
        break;
      }
      index = memory.readShort(at + 14);
    }
    return chain.build(head, 1);
  }

  private void indirect(Chain.Builder chain, long table, long bytes) {
    long count = bytes / DESCRIPTOR_BYTES;
    if (count == 0 || bytes % DESCRIPTOR_BYTES != 0) {
      throw new BadQueueException("a table of descriptors has %d bytes".formatted(bytes));
    }
    long index = 0;
    while (true) {
      if (index >= count) {
        throw new BadQueueException("descriptor %d of a table of %d".formatted(index, count));
      }
      long at = table + DESCRIPTOR_BYTES * index;
      int flags = memory.readShort(at + 12);
      if ((flags & INDIRECT) != 0) {
        throw new BadQueueException("a table of descriptors within a table");
      }
      chain.add(memory.readLong(at), memory.readInt(at + 8) & 0xFFFF_FFFFL, flags);
      if ((flags & NEXT) == 0) {
        return;
      }
      index = memory.readShort(at + 14);
    }
  }

  @Override
  public void giveBack(Chain chain, long written) {
    BadQueueException.guarded(() -> {
      long at = usedRing + RING + (long) USED_BYTES * (used % size);
      memory.writeInt(at, chain.id());
      memory.writeInt(at + 4, (int) written);
      used = used + 1 & 0xFFFF;
      memory.writeShortRelease(usedRing + INDEX, used);
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
      VarHandle.fullFence(); // the index is out before the wish is read
      if (!eventIndex) {
        return (memory.readShort(availableRing) & NO_INTERRUPT) == 0;
      }
      int event = memory.readShort(availableRing + RING + 2L * size);
      return (used - event - 1 & 0xFFFF) < (used - from & 0xFFFF);
    });
  }

  @Override
  public boolean awaitNotification() {
    return BadQueueException.guarded(() -> {
      if (eventIndex) {
        memory.writeShort(usedRing + RING + (long) USED_BYTES * size, available);
      }
      VarHandle.fullFence(); // the wish is out before the index is read
      return memory.readShortAcquire(availableRing + INDEX) == available;
    });
  }

  @Override
  public void awaitFurther() {
    BadQueueException.guarded(() -> {
      int seen = memory.readShortAcquire(availableRing + INDEX);
      if (eventIndex) {
        memory.writeShort(usedRing + RING + (long) USED_BYTES * size, seen);
      }
      return seen;
    });
  }

  @Override
  public QueuePosition position() {
    return new QueuePosition(available, used, signalled);
  }
}
