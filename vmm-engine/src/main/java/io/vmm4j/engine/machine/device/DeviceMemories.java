package io.vmm4j.engine.machine.device;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.StoreHandler;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.engine.memory.MappedGuestMemory;
import io.vmm4j.engine.memory.MemoryRange;
import io.vmm4j.engine.memory.PhysicalMemoryMap;
import io.vmm4j.engine.memory.Precedence;
import io.vmm4j.snapshot.MachineDescription;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All device memory of a machine and where the guest sees it. A memory and a mapping of it are two
 * things: mappings come, move and go, under the machine lock; the memory and its host view stay.
 */
public final class DeviceMemories {
  private static final int PAGE_SHIFT = 12;
  private static final long PAGE_MASK = (1 << PAGE_SHIFT) - 1;

  /** Does something while the machine stands and all that was written is noted here. */
  @FunctionalInterface
  public interface WhileHeld {
    /** Does it. */
    List<DeviceMemory.Range> apply(Supplier<List<DeviceMemory.Range>> action);
  }

  private record Key(String path, String name) {}

  private final ReentrantLock lock;
  private final MachineMemory memory;
  private final PhysicalMemoryMap map;
  private final MappedGuestMemory.WriteListener written;
  private final WhileHeld whileHeld;
  private final DeviceFailures failures;
  private final List<Memory> free = new ArrayList<>();
  private final Map<MemoryRange, Mapping> placed = new IdentityHashMap<>();
  private final Map<Key, Memory> memories = new LinkedHashMap<>();

  /** No device memory yet. */
  public DeviceMemories(
      ReentrantLock lock,
      MachineMemory memory,
      PhysicalMemoryMap map,
      MappedGuestMemory.WriteListener written,
      WhileHeld whileHeld,
      DeviceFailures failures) {
    this.whileHeld = whileHeld;
    this.failures = failures;
    this.lock = lock;
    this.memory = memory;
    this.map = map;
    this.written = written;
  }

  /**
   * Memory of a device, made on the first call with its name. The name says whether it is sparse:
   * {@link MachineDescription#isSparse}.
   *
   * @param device its number, in the order in which devices are made
   * @throws DeviceException if there is no room, or the name has another size
   */
  public DeviceMemory get(String path, int device, String name, MemorySize size) {
    lock.lock();
    try {
      Memory known = memories.get(new Key(path, name));
      if (known != null) {
        if (!known.size().equals(size)) {
          throw new DeviceException(
              path, "device memory '%s' has %s, not %s".formatted(name, known.size(), size));
        }
        return known;
      }
      long offset;
      try {
        Optional<Memory> unused = reuse(name, size.bytes());
        offset =
            unused.isPresent()
                ? unused.get().offset
                : memory.allocateDeviceMemory(
                    MachineDescription.deviceRegion(path, name),
                    size.bytes(),
                    MachineDescription.isSparse(name));
      } catch (VmException e) {
        throw new DeviceException(
            path, "device memory '%s': %s".formatted(name, e.getMessage()), e);
      }
      Memory made = new Memory(path, device, name, size.bytes(), offset);
      memories.put(new Key(path, name), made);
      return made;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes all memory of a device off the address space. Its room is kept for the next memory of the
   * same size, and zero then. With the machine lock held.
   */
  public void release(String path) {
    for (Memory each : List.copyOf(memories.values())) {
      if (each.path.equals(path)) {
        each.mappings.values().forEach(m -> m.remap(m.guestPhysicalAddress, GuestAccess.OFF));
        each.clear();
        memories.remove(new Key(path, each.name));
        free.add(each);
      }
    }
  }

  private Optional<Memory> reuse(String name, long bytes) {
    boolean sparse = MachineDescription.isSparse(name);
    Optional<Memory> found =
        free.stream().filter(m -> m.bytes == bytes && m.isSparse() == sparse).findFirst();
    found.ifPresent(free::remove);
    return found;
  }

  /** Every memory, in the order in which they were made. With the machine lock held. */
  public Collection<Memory> all() {
    return List.copyOf(memories.values());
  }

  /** A memory by device and name, if there is one. With the machine lock held. */
  public Optional<Memory> find(String path, String name) {
    return Optional.ofNullable(memories.get(new Key(path, name)));
  }

  /** Notes pages of the machine's one segment that were written. With the machine lock held. */
  public void noteWritten(BitSet pages) {
    for (Memory each : memories.values()) {
      each.note(pages);
    }
  }

  /** Notes that all may have been written. With the machine lock held. */
  public void noteAllWritten() {
    for (Memory each : memories.values()) {
      each.noteAll();
    }
  }

  /**
   * A guest's store to memory that it can only read. With the machine lock held.
   *
   * @param range where it goes
   * @param most how many bytes there are
   * @return how many of them were taken
   */
  public int store(MemoryRange range, long address, int most, long value) {
    Mapping mapping = placed.get(range);
    int size = Integer.highestOneBit((int) Math.min(most, range.end() - address));
    if (mapping != null) {
      long mask = size == 8 ? -1 : (1L << 8 * size) - 1;
      try {
        mapping.stores.store(mapping.offset + address - range.base(), size, value & mask);
      } catch (Throwable e) {
        failures.failed(mapping.owner.path, "store to 0x%x".formatted(address), e);
      }
    }
    return size;
  }

  /** Takes every mapping off the guest's address space and forgets it: before a restore. */
  public void unmapAll() {
    lock.lock();
    try {
      for (Memory each : memories.values()) {
        each.mappings.values().forEach(m -> m.remap(m.guestPhysicalAddress, GuestAccess.OFF));
      }
    } finally {
      lock.unlock();
    }
  }

  /** One piece of device memory. */
  public final class Memory implements DeviceMemory {
    private final String path;
    private final int device;
    private final String name;
    private final long bytes;
    private final long offset;
    private final MemorySegment view;
    private final Map<String, Mapping> mappings = new LinkedHashMap<>();

    /** How much of sparse memory room is kept for. Guarded by this memory. */
    private long kept;

    /** The pages written since they were last asked for; empty until they first are. */
    private Optional<BitSet> dirty = Optional.empty();

    private Memory(String path, int device, String name, long bytes, long offset) {
      this.path = path;
      this.device = device;
      this.name = name;
      this.bytes = bytes;
      this.offset = offset;
      this.view = memory.segment().asSlice(offset, bytes);
    }

    /** The device's path. */
    public String path() {
      return path;
    }

    /** Whether no guest sees it, and it takes room as it is written. */
    public boolean isSparse() {
      return MachineDescription.isSparse(name);
    }

    /** Where it begins in the machine's one segment. */
    public long offset() {
      return offset;
    }

    /** Its mappings, in the order in which they were made. With the machine lock held. */
    public List<Mapping> mappings() {
      return new ArrayList<>(mappings.values());
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public MemorySize size() {
      return MemorySize.bytes(bytes);
    }

    @Override
    public MemorySegment view() {
      return view.asReadOnly();
    }

    @Override
    public MemorySegment writableView() {
      return view;
    }

    @Override
    public void written(long at, long length) {
      Objects.checkFromIndexSize(at, length, bytes);
      if (length > 0) {
        written.written(offset + at, length);
      }
    }

    @Override
    public synchronized void keepRoom(long most) {
      Objects.checkFromIndexSize(0, most, bytes);
      try {
        if (most > kept) {
          memory.keepRoom(most - kept);
          kept = most;
        }
      } catch (VmException e) {
        throw new DeviceException(
            path, "device memory '%s': %s".formatted(name, e.getMessage()), e);
      }
    }

    /** Makes all of it zero; what is known to be takes no room by that. */
    private void clear() {
      int first = (int) (offset >>> PAGE_SHIFT);
      BitSet filled = new BitSet();
      filled.set(first, first + pages());
      memory.clearZeros(filled);
      for (int from = filled.nextSetBit(first); from >= 0; ) {
        int end = filled.nextClearBit(from);
        long at = (long) (from - first) << PAGE_SHIFT;
        long length = (long) (end - from) << PAGE_SHIFT;
        view.asSlice(at, length).fill((byte) 0);
        written(at, length);
        from = filled.nextSetBit(end);
      }
    }

    private int pages() {
      return (int) (bytes >>> PAGE_SHIFT);
    }

    private void note(BitSet pages) {
      int first = (int) (offset >>> PAGE_SHIFT);
      dirty.ifPresent(noted -> noted.or(pages.get(first, first + pages())));
    }

    private void noteAll() {
      dirty.ifPresent(noted -> noted.set(0, pages()));
    }

    @Override
    public List<Range> takeDirty() {
      return whileHeld.apply(this::taken);
    }

    /** While no guest code runs, and after a harvest. */
    private List<Range> taken() {
      lock.lock();
      try {
        if (dirty.isEmpty()) {
          dirty = Optional.of(new BitSet());
          noteAll();
        }
        BitSet noted = dirty.get();
        List<Range> ranges = new ArrayList<>();
        for (int from = noted.nextSetBit(0); from >= 0; ) {
          int end = noted.nextClearBit(from);
          ranges.add(new Range((long) from << PAGE_SHIFT, (long) (end - from) << PAGE_SHIFT));
          from = noted.nextSetBit(end);
        }
        noted.clear();
        return List.copyOf(ranges);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void write(long at, byte[] source) {
      Objects.checkFromIndexSize(at, source.length, bytes);
      MemorySegment.copy(source, 0, view, ValueLayout.JAVA_BYTE, at, source.length);
      written(at, source.length);
    }

    /** {@inheritDoc} A mapping that exists under this name is replaced in one step. */
    @Override
    public DeviceMemoryMapping map(
        String mappingName, long at, long length, long guestPhysicalAddress, GuestAccess access) {
      if (((at | length | guestPhysicalAddress) & PAGE_MASK) != 0 || length <= 0) {
        throw new DeviceException(
            path,
            "cannot map 0x%x bytes of '%s' at 0x%x: not made of whole pages"
                .formatted(length, name, guestPhysicalAddress));
      }
      if (isSparse()) {
        throw new DeviceException(path, "cannot map '%s': it is sparse".formatted(name));
      }
      Objects.checkFromIndexSize(at, length, bytes);
      lock.lock();
      try {
        Mapping mapping = mappings.computeIfAbsent(mappingName, n -> new Mapping(this, n));
        mapping.set(at, length, guestPhysicalAddress, access);
        return mapping;
      } finally {
        lock.unlock();
      }
    }
  }

  /** A place where the guest sees a piece of device memory, or is kept from it. */
  public final class Mapping implements DeviceMemoryMapping {
    private final Memory owner;
    private final String name;
    private long offset;
    private long length;
    private long guestPhysicalAddress;
    private GuestAccess access = GuestAccess.OFF;
    private @Nullable MemoryRange range;
    private StoreHandler stores = (at, size, value) -> {};

    private Mapping(Memory owner, String name) {
      this.owner = owner;
      this.name = name;
    }

    /** Where the piece begins in its memory. */
    public long offset() {
      return offset;
    }

    /** How long it is. */
    public long length() {
      return length;
    }

    private void set(long at, long size, long address, GuestAccess how) {
      MemoryRange now =
          how == GuestAccess.OFF || !PhysicalMemoryMap.isPossible(address, size)
              ? null
              : new MemoryRange(
                  "device memory %s/%s".formatted(owner.path, owner.name),
                  address,
                  size,
                  owner.offset + at,
                  how == GuestAccess.READ_WRITE,
                  new Precedence(
                      Precedence.Kind.MAPPING, owner.device, 0, owner.name + "/" + name));
      if (range == null || !range.equals(now)) {
        MemoryRange old = range;
        range = now;
        if (old != null) {
          placed.remove(old);
        }
        if (now != null) {
          placed.put(now, this);
        }
        map.replace(old, now);
      }
      offset = at;
      length = size;
      guestPhysicalAddress = address;
      access = how;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long guestPhysicalAddress() {
      return guestPhysicalAddress;
    }

    @Override
    public GuestAccess access() {
      return access;
    }

    @Override
    public void onStore(StoreHandler handler) {
      stores = handler;
    }

    @Override
    public boolean isSeen() {
      lock.lock();
      try {
        return range != null && map.covering(range).isEmpty();
      } finally {
        lock.unlock();
      }
    }

    /** What hides a part of it, if anything does. With the machine lock held. */
    public Optional<MemoryRange> covering() {
      return Optional.ofNullable(range).flatMap(map::covering);
    }

    @Override
    public void remap(long address, GuestAccess how) {
      if ((address & PAGE_MASK) != 0) {
        throw new DeviceException(
            owner.path, "cannot map '%s' at 0x%x: not a whole page".formatted(owner.name, address));
      }
      lock.lock();
      try {
        set(offset, length, address, how);
      } finally {
        lock.unlock();
      }
    }
  }
}
