package io.vmm4j.engine.machine.bus;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import io.vmm4j.engine.memory.Precedence;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The 64K ports. An access is cut, lowest port first, into the largest pieces of 4, 2 or 1 bytes
 * that one claim takes whole; where nobody is home, loads give ones and stores are lost. So is all
 * of an access that begins where nobody is.
 *
 * <p>Where claims overlap, the one of the lowest {@link Precedence} is seen, and what lies below it
 * is seen again when it goes. A piece belongs to the claim that is seen at its first port: four
 * bytes written to 0xCF8 select a PCI register, and are not for the reset register at 0xCF9.
 *
 * <p>All methods are called with the machine lock held.
 */
public final class PortBus {
  private static final int PORTS = 0x10000;

  /** What is seen at each port. */
  private final @Nullable Claim[] table = new @Nullable Claim[PORTS];

  private final List<Claim> all = new ArrayList<>();

  /** The claims on the bus, the first before all others. */
  private final NavigableSet<Claim> placed = new TreeSet<>();

  private final DeviceFailures failures;
  private @Nullable BackendMachine processors;
  private long accesses;

  /** An empty bus. */
  public PortBus(DeviceFailures failures) {
    this.failures = failures;
  }

  /**
   * Claims ports for a device; they are off the bus.
   *
   * @throws DeviceException if there are not so many
   */
  public AddressClaim claim(Claimant who, int count, AccessWidth width, PortHandler handler) {
    return claim(who, Precedence.Kind.MOVABLE, count, width, handler);
  }

  /**
   * Claims ports whose place the board fixes.
   *
   * @throws DeviceException if a port does not exist or is claimed so already; names by whom
   */
  public AddressClaim claim(
      Claimant who, int first, int count, AccessWidth width, PortHandler handler) {
    if (first < 0 || count <= 0 || first > PORTS - count) {
      throw new DeviceException(
          who.path(), "cannot claim %d port(s) at 0x%x: not within 64K".formatted(count, first));
    }
    Claim claim = claim(who, Precedence.Kind.FIXED, count, width, handler);
    for (Claim other : placed.headSet(claim)) {
      if (first < other.end() && other.first < first + count) {
        throw new DeviceException(
            who.path(),
            "cannot claim ports 0x%x..0x%x: taken by '%s'"
                .formatted(first, first + count - 1, other.path));
      }
    }
    claim.moveTo(first);
    return claim;
  }

  private Claim claim(
      Claimant who, Precedence.Kind kind, int count, AccessWidth width, PortHandler handler) {
    if (count <= 0 || count > PORTS) {
      throw new DeviceException(who.path(), "cannot claim %d port(s)".formatted(count));
    }
    Claim claim = new Claim(who.path(), who.next(kind), count, Math.min(width.bytes(), 4), handler);
    all.add(claim);
    return claim;
  }

  /** Connects the processors, which may watch doorbells themselves. Before there are any. */
  public void connect(BackendMachine machine) {
    processors = machine;
  }

  /** The claims of a device, in the order of their making, for tests. */
  public List<Claimed> claims(String path) {
    return all.stream()
        .filter(c -> c.path.equals(path))
        .map(c -> new Claimed(true, c.base, c.count, c.width, c.doorbells.list()))
        .toList();
  }

  /** Takes all claims of a device off the bus for ever. */
  public void release(String path) {
    for (Claim claim : all) {
      if (claim.path.equals(path)) {
        claim.disable();
      }
    }
    all.removeIf(claim -> claim.path.equals(path));
  }

  /** Rings a doorbell of a device, wherever its claim is by now, for tests. */
  public void ring(String path, int claim, int bell) {
    all.stream().filter(c -> c.path.equals(path)).toList().get(claim).doorbells.ring(bell);
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

  /** Works out what is seen in a range of ports. */
  private void look(long from, long end) {
    for (int port = (int) from; port < end; port++) {
      table[port] = null;
      for (Claim claim : placed) {
        if (port >= claim.first && port < claim.end()) {
          table[port] = claim;
          break;
        }
      }
    }
  }

  private void placeDoorbells() {
    for (Claim claim : placed) {
      claim.doorbells.hide(claim.base, claim::isSeen);
    }
    for (Claim claim : placed) {
      claim.doorbells.show(claim.base, claim::isSeen);
    }
  }

  private final class Claim implements AddressClaim, Comparable<Claim> {
    private static final int OFF = -1;

    private final String path;
    private final Precedence precedence;
    private final int count;
    private final int width;
    private final PortHandler handler;
    private final Doorbells doorbells;

    /** Where it was put, which may be beyond the last port. */
    private long base = OFF;

    /** The first port while it is on the bus. */
    private int first = OFF;

    Claim(String path, Precedence precedence, int count, int width, PortHandler handler) {
      this.path = path;
      this.precedence = precedence;
      this.count = count;
      this.width = width;
      this.handler = handler;
      this.doorbells = new Doorbells(path, true, count, width, failures);
    }

    int end() {
      return first + count;
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

    private boolean isSeen(long offset, int size) {
      return first != OFF && table[(int) (first + offset)] == this;
    }

    private void place(long where) {
      int now = where >= 0 && where <= PORTS - count ? (int) where : OFF;
      base = where;
      if (now == first) {
        return;
      }
      if (first != OFF) {
        placed.remove(this);
        look(first, end());
      }
      first = now;
      if (first == OFF) {
        doorbells.hideAll();
      } else {
        placed.add(this);
        look(first, end());
      }
      placeDoorbells();
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
      boolean seen = first != OFF;
      for (int port = first; seen && port < end(); port++) {
        seen = table[port] == this;
      }
      return seen;
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

    @Override
    public int compareTo(Claim other) {
      return precedence.compareTo(other.precedence);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return precedence.hashCode();
    }
  }
}
