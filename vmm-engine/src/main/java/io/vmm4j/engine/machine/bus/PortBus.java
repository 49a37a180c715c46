package io.vmm4j.engine.machine.bus;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The 64K ports. An access is cut, lowest port first, into the largest pieces of 4, 2 or 1 bytes
 * that one claim takes whole; where nobody is home, loads give ones and stores are lost. So is all
 * of an access that begins where nobody is: four bytes written to 0xCF8 select a PCI register, and
 * are not for the reset register at 0xCF9. All methods are called with the machine lock held.
 */
public final class PortBus {
  private static final int PORTS = 0x10000;

  private final @Nullable Claim[] table = new @Nullable Claim[PORTS];
  private final DeviceFailures failures;
  private @Nullable BackendMachine processors;
  private long accesses;

  /** An empty bus. */
  public PortBus(DeviceFailures failures) {
    this.failures = failures;
  }

  /**
   * Claims ports for a device.
   *
   * @throws DeviceException if a port does not exist or is claimed; names by whom
   */
  public AddressClaim claim(
      String path, int first, int count, AccessWidth width, PortHandler handler) {
    if (first < 0 || count <= 0 || first > PORTS - count) {
      throw new DeviceException(
          path, "cannot claim %d port(s) at 0x%x: not within 64K".formatted(count, first));
    }
    Claim claim = new Claim(path, count, Math.min(width.bytes(), 4), handler);
    String occupant = claim.place(first);
    if (occupant != null) {
      throw new DeviceException(
          path,
          "cannot claim ports 0x%x..0x%x: taken by %s"
              .formatted(first, first + count - 1, occupant));
    }
    return claim;
  }

  /** Connects the processors, which may watch doorbells themselves. Before there are any. */
  public void connect(BackendMachine machine) {
    processors = machine;
  }

  /** How many accesses there were. */
  public long accesses() {
    return accesses;
  }

  /** IN of 1, 2 or 4 bytes. */
  public int read(int port, int size) {
    accesses++;
    Claim claim = table[port];
    if (claim == null) {
      return mask(size);
    }
    if (claim.takes(port, size)) {
      return claim.read(port, size);
    }
    int value = 0;
    for (int done = 0; done < size; ) {
      int at = port + done;
      int piece = piece(at, size - done);
      Claim there = at < PORTS ? table[at] : null;
      int part = there == null ? mask(piece) : there.read(at, piece);
      value |= part << (8 * done);
      done += piece;
    }
    return value;
  }

  /** OUT of 1, 2 or 4 bytes. */
  public void write(int port, int size, int value) {
    accesses++;
    Claim claim = table[port];
    if (claim == null) {
      return;
    }
    if (claim.takes(port, size)) {
      claim.write(port, size, value);
      return;
    }
    for (int done = 0; done < size; ) {
      int at = port + done;
      int piece = piece(at, size - done);
      Claim there = at < PORTS ? table[at] : null;
      if (there != null) {
        there.write(at, piece, value >>> (8 * done));
      }
      done += piece;
    }
  }

  private int piece(int port, int left) {
    Claim claim = port < PORTS ? table[port] : null;
    if (claim != null) {
      for (int size = 4; size > 1; size >>= 1) {
        if (size <= left && claim.takes(port, size)) {
          return size;
        }
      }
    }
    return 1;
  }

  private static int mask(int size) {
    return size == 4 ? -1 : (1 << (8 * size)) - 1;
  }

  private final class Claim implements AddressClaim {
    private final String path;
    private final int count;
    private final int width;
    private final PortHandler handler;
    private final Doorbells doorbells;
    private int first = -1;

    Claim(String path, int count, int width, PortHandler handler) {
      this.path = path;
      this.count = count;
      this.width = width;
      this.handler = handler;
      this.doorbells = new Doorbells(path, true, count, width, failures);
    }

    boolean takes(int port, int size) {
      return size <= width && port - first <= count - size;
    }

    int read(int port, int size) {
      try {
        return handler.read(port - first, size) & mask(size);
      } catch (Throwable e) {
        failures.failed(path, "read of port 0x%x".formatted(port), e);
        return mask(size);
      }
    }

    void write(int port, int size, int value) {
      try {
        if (!doorbells.take(port - first, size, value & mask(size) & 0xFFFF_FFFFL)) {
          handler.write(port - first, size, value & mask(size));
        }
      } catch (Throwable e) {
        failures.failed(path, "write of port 0x%x".formatted(port), e);
      }
    }

    /** Takes the place and leaves the old one, or says who is there. */
    @Nullable String place(int base) {
      for (int port = base; port < base + count; port++) {
        Claim there = table[port];
        if (there != null && there != this) {
          return "'" + there.path + "'";
        }
      }
      leave();
      for (int port = base; port < base + count; port++) {
        table[port] = this;
      }
      first = base;
      doorbells.placedAt(base);
      return null;
    }

    @Override
    public boolean moveTo(long base) {
      return base >= 0 && base <= PORTS - count && place((int) base) == null;
    }

    private void leave() {
      if (first >= 0) {
        for (int port = first; port < first + count; port++) {
          table[port] = null;
        }
        first = -1;
      }
    }

    @Override
    public void disable() {
      leave();
      doorbells.removed();
    }

    @Override
    public void doorbell(long offset, int size, OptionalLong value, Runnable action) {
      doorbells.add(first, offset, size, value, action, processors);
    }

    @Override
    public long base() {
      return first;
    }
  }
}
