package io.vmm4j.engine.machine.bus;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import io.vmm4j.engine.memory.MemoryRange;
import io.vmm4j.engine.memory.PhysicalMemoryMap;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Trapped windows of the guest physical address space. An access is cut, lowest address first, into
 * the largest pieces of 8, 4, 2 or 1 bytes that one window takes whole; where nobody is home, loads
 * give ones and stores are lost. All methods are called with the machine lock held.
 */
public final class MmioBus {
  private final PhysicalMemoryMap map;
  private final DeviceFailures failures;

  /** Active windows by address. */
  private Window[] windows = {};

  private @Nullable BackendMachine processors;
  private long accesses;

  /** A bus without windows over a memory map. */
  public MmioBus(PhysicalMemoryMap map, DeviceFailures failures) {
    this.map = map;
    this.failures = failures;
  }

  /**
   * Claims a window for a device.
   *
   * @throws DeviceException if it overlaps memory or another window; names it
   */
  public AddressClaim claim(
      String path, long base, long length, AccessWidth width, MmioHandler handler) {
    if (length <= 0) {
      throw new DeviceException(path, "cannot claim a window of %d bytes".formatted(length));
    }
    Window window = new Window(path, length, width.bytes(), handler);
    Optional<MemoryRange> conflict = window.place(base);
    if (conflict.isPresent()) {
      throw new DeviceException(
          path,
          "cannot claim window 0x%x..0x%x: it overlaps %s"
              .formatted(base, base + length - 1, conflict.get()));
    }
    return window;
  }

  /** Connects the processors, which may watch doorbells themselves. Before there are any. */
  public void connect(BackendMachine machine) {
    processors = machine;
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
      Window there = at(at);
      int piece = there == null ? 1 : there.piece(at, size - done);
      long part = there == null ? 0xFF : there.read(at, piece);
      value |= part << (8 * done);
      done += piece;
    }
    return value;
  }

  /** A store of 1, 2, 4 or 8 bytes. */
  public void write(long address, int size, long value) {
    accesses++;
    for (int done = 0; done < size; ) {
      long at = address + done;
      Window there = at(at);
      int piece = there == null ? 1 : there.piece(at, size - done);
      if (there != null) {
        there.write(at, piece, value >>> (8 * done));
      }
      done += piece;
    }
  }

  private @Nullable Window at(long address) {
    Window[] all = windows;
    int low = 0;
    int high = all.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long distance = address - all[middle].base();
      if (distance < 0) {
        high = middle - 1;
      } else if (distance >= all[middle].length) {
        low = middle + 1;
      } else {
        return all[middle];
      }
    }
    return null;
  }

  private static long mask(int size) {
    return size == 8 ? -1 : (1L << (8 * size)) - 1;
  }

  private final class Window implements AddressClaim {
    private final String path;
    private final long length;
    private final int width;
    private final MmioHandler handler;
    private final Doorbells doorbells;
    private @Nullable MemoryRange range;

    Window(String path, long length, int width, MmioHandler handler) {
      this.path = path;
      this.length = length;
      this.width = width;
      this.handler = handler;
      this.doorbells = new Doorbells(path, false, length, width, failures);
    }

    int piece(long address, int left) {
      int size = width;
      while (size > left || address - base() > length - size) {
        size >>= 1;
      }
      return size;
    }

    long read(long address, int size) {
      try {
        return handler.read(address - base(), size) & mask(size);
      } catch (Throwable e) {
        failures.failed(path, "load from 0x%x".formatted(address), e);
        return mask(size);
      }
    }

    void write(long address, int size, long value) {
      try {
        if (!doorbells.take(address - base(), size, value & mask(size))) {
          handler.write(address - base(), size, value & mask(size));
        }
      } catch (Throwable e) {
        failures.failed(path, "store to 0x%x".formatted(address), e);
      }
    }

    Optional<MemoryRange> place(long base) {
      MemoryRange now = MemoryRange.window("window of " + path, base, length);
      Optional<MemoryRange> conflict = map.replace(range, now);
      if (conflict.isEmpty()) {
        take(false);
        range = now;
        take(true);
        doorbells.placedAt(base);
      }
      return conflict;
    }

    /** Puts this window into the sorted array, or takes it out. */
    private void take(boolean in) {
      Window[] others =
          Arrays.stream(windows).filter(window -> window != this).toArray(Window[]::new);
      if (in) {
        others = Arrays.copyOf(others, others.length + 1);
        others[others.length - 1] = this;
        Arrays.sort(others, Comparator.comparingLong(Window::base));
      }
      windows = others;
    }

    @Override
    public boolean moveTo(long base) {
      return place(base).isEmpty();
    }

    @Override
    public void disable() {
      MemoryRange old = range;
      if (old != null) {
        map.remove(old);
        take(false);
        range = null;
        doorbells.removed();
      }
    }

    @Override
    public void doorbell(long offset, int size, OptionalLong value, Runnable action) {
      doorbells.add(base(), offset, size, value, action, processors);
    }

    @Override
    public long base() {
      MemoryRange now = range;
      return now == null ? -1 : now.base();
    }
  }
}
