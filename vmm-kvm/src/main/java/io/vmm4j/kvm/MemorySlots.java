package io.vmm4j.kvm;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.MemoryLocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The guest physical memory map as KVM's memory slots: one for each range of memory, read-only
 * where stores are trapped. What vCPUs write is logged by the kernel from the beginning. While no
 * vCPU runs, by one thread at a time.
 */
final class MemorySlots {
  private static final long END = 1L << 52;
  private static final int PAGE = 4096;
  private static final int LOG_DIRTY_PAGES = 1;
  private static final int READ_ONLY = 2;

  private final int vmFd;
  private final BackendHost host;
  private final Map<MemoryLocation, Integer> slots = new HashMap<>();
  private final Deque<Integer> free = new ArrayDeque<>();
  private int made;

  MemorySlots(int vmFd, BackendHost host) {
    this.vmFd = vmFd;
    this.host = host;
  }

  /** Makes the slots follow the map as it is now. */
  void follow() {
    Set<MemoryLocation> wanted = new LinkedHashSet<>();
    long address = 0;
    while (address < END) {
      MemoryLocation there = host.locate(address);
      if (there.isMemory()) {
        wanted.add(there);
      }
      address = there.base() + there.length();
    }
    for (MemoryLocation old : List.copyOf(slots.keySet())) {
      if (!wanted.contains(old)) {
        int slot = slots.remove(old);
        harvest(old, slot); // the log goes with the slot
        set(slot, old, 0, 0);
        free.add(slot);
      }
    }
    for (MemoryLocation location : wanted) {
      if (!slots.containsKey(location)) {
        Integer slot = free.poll();
        if (slot == null) {
          slot = made++;
        }
        set(slot, location, location.length(), location.writable() ? LOG_DIRTY_PAGES : READ_ONLY);
        slots.put(location, slot);
      }
    }
  }

  private void set(int slot, MemoryLocation location, long length, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = arena.allocate(32, 8);
      region.set(ValueLayout.JAVA_INT, 0, slot);
      region.set(ValueLayout.JAVA_INT, 4, flags);
      region.set(ValueLayout.JAVA_LONG, 8, location.base());
      region.set(ValueLayout.JAVA_LONG, 16, length);
      region.set(ValueLayout.JAVA_LONG, 24, host.memory().address() + location.offset());
      Libc.ioctl(vmFd, Ioctl.KVM_SET_USER_MEMORY_REGION, region);
    }
  }

  /** Names the pages that vCPUs have written since the last call, and logs anew. */
  void harvest() {
    new ArrayList<>(slots.entrySet()).forEach(entry -> harvest(entry.getKey(), entry.getValue()));
  }

  private void harvest(MemoryLocation location, int slot) {
    if (!location.writable()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      long words = (location.length() / PAGE + 63) / 64;
      MemorySegment bitmap = arena.allocate(ValueLayout.JAVA_LONG, words);
      MemorySegment log = arena.allocate(16, 8);
      log.set(ValueLayout.JAVA_INT, 0, slot);
      log.set(ValueLayout.JAVA_LONG, 8, bitmap.address());
      Libc.ioctl(vmFd, Ioctl.KVM_GET_DIRTY_LOG, log);
      for (long i = 0; i < words; i++) {
        long bits = bitmap.getAtIndex(ValueLayout.JAVA_LONG, i);
        while (bits != 0) {
          int first = Long.numberOfTrailingZeros(bits);
          int run = Long.numberOfTrailingZeros(~(bits >>> first));
          host.vcpuWrites(location.offset() + (64 * i + first) * PAGE, (long) run * PAGE);
          bits = first + run == 64 ? 0 : bits & -1L << first + run;
        }
      }
    }
  }
}
