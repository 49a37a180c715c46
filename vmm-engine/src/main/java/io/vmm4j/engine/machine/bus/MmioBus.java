package io.vmm4j.engine.machine.bus;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import io.vmm4j.engine.memory.MappedGuestMemory;
import io.vmm4j.engine.memory.MemoryRange;
import io.vmm4j.engine.memory.PhysicalMemoryMap;
import io.vmm4j.engine.memory.Precedence;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Trapped windows of the guest physical address space. An access is cut, lowest address first, into
 * the largest pieces of 8, 4, 2 or 1 bytes that one window takes whole. A piece belongs to the
 * window that is seen at its first byte. Where nobody is home, loads give ones and stores are lost.
 * Memory is met here too: beside a window that covers a part of its page, or where it can't be
 * written.
 *
 * <p>All methods are called with the machine lock held.
 */
public final class MmioBus {
  private final PhysicalMemoryMap map;
  private final MappedGuestMemory memory;
  private final DeviceFailures failures;

  private final List<Window> all = new ArrayList<>();

  /** The windows on the bus, by what the map knows of them. */
  private final Map<MemoryRange, Window> windows = new IdentityHashMap<>();

  private ReadOnlyStores readOnly = (range, address, most, value) -> 1;
  private @Nullable BackendMachine processors;
  private long accesses;

  /** Takes stores to memory that can't be written. */
  @FunctionalInterface
  public interface ReadOnlyStores {
    /** Takes a store of at most so many bytes, and says how many it has taken. */
    int store(MemoryRange range, long address, int most, long value);
  }

  /** A bus without windows over a memory map. */
  public MmioBus(PhysicalMemoryMap map, MappedGuestMemory memory, DeviceFailures failures) {
    this.map = map;
    this.memory = memory;
    this.failures = failures;
    map.onChange(this::placeDoorbells);
  }

  /**
   * Claims a window for a device; it is off the bus.
   *
   * @throws DeviceException if it has no length
   */
  public AddressClaim claim(Claimant who, long length, AccessWidth width, MmioHandler handler) {
    return window(who, Precedence.Kind.MOVABLE, length, width, handler);
  }

  /**
   * Claims a window whose place the board fixes.
   *
   * @throws DeviceException if it overlaps memory or another such window; names it
   */
  public AddressClaim claim(
      Claimant who, long base, long length, AccessWidth width, MmioHandler handler) {
    Window window = window(who, Precedence.Kind.FIXED, length, width, handler);
    if (!PhysicalMemoryMap.isPossible(base, length)) {
      throw new DeviceException(
          who.path(),
          "cannot claim %d bytes at 0x%x: not within the address space".formatted(length, base));
    }
    Optional<MemoryRange> conflict = map.covering(window.rangeAt(base));
    if (conflict.isPresent()) {
      throw new DeviceException(
          who.path(),
          "cannot claim window 0x%x..0x%x: it overlaps %s"
              .formatted(base, base + length - 1, conflict.get()));
    }
    window.moveTo(base);
    return window;
  }

  private Window window(
      Claimant who, Precedence.Kind kind, long length, AccessWidth width, MmioHandler handler) {
    if (length <= 0) {
      throw new DeviceException(who.path(), "cannot claim a window of %d bytes".formatted(length));
    }
    Window window = new Window(who.path(), who.next(kind), length, width.bytes(), handler);
    all.add(window);
    return window;
  }

  /** Registers who takes stores to memory that can't be written; they are lost otherwise. */
  public void onReadOnlyStore(ReadOnlyStores stores) {
    readOnly = stores;
  }

  /** Connects the processors, which may watch doorbells themselves. Before there are any. */
  public void connect(BackendMachine machine) {
    processors = machine;
  }

  private void placeDoorbells() {
    for (Window window : windows.values()) {
      window.doorbells.hide(window.base, window::isSeen);
    }
    for (Window window : windows.values()) {
      window.doorbells.show(window.base, window::isSeen);
    }
  }

  /** The claims of a device, in the order of their making, for tests. */
  public List<Claimed> claims(String path) {
    return all.stream()
        .filter(w -> w.path.equals(path))
        .map(w -> new Claimed(false, w.base, w.length, w.width, w.doorbells.list()))
        .toList();
  }

  /** Takes all claims of a device off the bus for ever. */
  public void release(String path) {
    for (Window window : all) {
      if (window.path.equals(path)) {
        window.disable();
      }
    }
    all.removeIf(window -> window.path.equals(path));
  }

  /** Rings a doorbell of a device, wherever its claim is by now, for tests. */
  public void ring(String path, int claim, int bell) {
    all.stream().filter(w -> w.path.equals(path)).toList().get(claim).doorbells.ring(bell);
  }

  /** How many accesses there were. */
  public long accesses() {
    return accesses;
  }

  /** A load of 1, 2, 4 or 8 bytes. */
  public long read(long address, int size) {
    accesses++;
    long value = 0;
    for (int done = 0; done < size; ) {
      long at = address + done;
      MemoryRange there = map.at(at);
      Window window = windows.get(there);
      int piece = window == null ? 1 : window.piece(at, size - done);
      long part = window == null ? readByte(there, at) : window.read(at, piece);
      value |= part << (8 * done);
      done += piece;
    }
    return value;
  }

  private long readByte(@Nullable MemoryRange there, long address) {
    return there == null ? 0xFF : memory.readByteAt(there.offset() + address - there.base());
  }

  /** A store of 1, 2, 4 or 8 bytes. */
  public void write(long address, int size, long value) {
    accesses++;
    for (int done = 0; done < size; ) {
      long at = address + done;
      MemoryRange there = map.at(at);
      Window window = windows.get(there);
      long left = value >>> 8 * done;
      if (window != null) {
        int piece = window.piece(at, size - done);
        window.write(at, piece, left);
        done += piece;
      } else if (there != null && !there.writable()) {
        done += readOnly.store(there, at, size - done, left);
      } else {
        if (there != null) {
          memory.writeByteAt(there.offset() + at - there.base(), (int) left);
        }
        done++;
      }
    }
  }

  private static long mask(int size) {
    return size == 8 ? -1 : (1L << (8 * size)) - 1;
  }

  private final class Window implements AddressClaim {
    private static final long OFF = -1;

    private final String path;
    private final Precedence precedence;
    private final long length;
    private final int width;
    private final MmioHandler handler;
    private final Doorbells doorbells;
    private long base = OFF;
    private @Nullable MemoryRange range;

    Window(String path, Precedence precedence, long length, int width, MmioHandler handler) {
      this.path = path;
      this.precedence = precedence;
      this.length = length;
      this.width = width;
      this.handler = handler;
      this.doorbells = new Doorbells(path, false, length, width, failures);
    }

    MemoryRange rangeAt(long place) {
      return MemoryRange.window("window of " + path, place, length, precedence);
    }

    int piece(long address, int left) {
      int size = width;
      while (size > left || address - base > length - size) {
        size >>= 1;
      }
      return size;
    }

    long read(long address, int size) {
      try {
        return handler.read(address - base, size) & mask(size);
      } catch (Throwable e) {
        failures.failed(path, "load from 0x%x".formatted(address), e);
        return mask(size);
      }
    }

    void write(long address, int size, long value) {
      try {
        if (!doorbells.take(address - base, size, value & mask(size))) {
          handler.write(address - base, size, value & mask(size));
        }
      } catch (Throwable e) {
        failures.failed(path, "store to 0x%x".formatted(address), e);
      }
    }

    /** Whether a store to a part of it comes here, by the rule that {@link MmioBus#write} has. */
    private boolean isSeen(long offset, int size) {
      return range != null && range == map.at(base + offset);
    }

    private void place(long where) {
      MemoryRange old = range;
      base = where;
      if (old != null && old.base() == where) {
        return;
      }
      if (old != null) {
        windows.remove(old);
      }
      range = where != OFF && PhysicalMemoryMap.isPossible(where, length) ? rangeAt(where) : null;
      if (range == null) {
        doorbells.hideAll();
      } else {
        windows.put(range, this);
      }
      map.replace(old, range);
    }

    @Override
    public void moveTo(long where) {
      place(Math.max(where, OFF));
    }

    @Override
    public void disable() {
      place(OFF);
    }

    @Override
    public boolean isSeen() {
      MemoryRange now = range;
      return now != null && map.covering(now).isEmpty();
    }

    @Override
    public void doorbell(long offset, int size, OptionalLong value, Runnable action) {
      doorbells.add(offset, size, value, action, processors);
      doorbells.show(base, this::isSeen);
    }

    @Override
    public long base() {
      return base;
    }
  }
}
