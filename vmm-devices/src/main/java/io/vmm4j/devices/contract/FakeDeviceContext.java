package io.vmm4j.devices.contract;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.PowerButton;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.api.device.ExternalInterruptSource;
import io.vmm4j.api.device.InterruptController;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.InterruptSignal;
import io.vmm4j.api.device.MessageInterrupts;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.IntConsumer;

/**
 * A machine around one device, for its tests: buses, interrupt lines, a clock that stands until it
 * is moved, memory, a console. What the device does to the outside is kept in {@link #events}.
 *
 * {@snippet :
 * FakeDeviceContext machine = new FakeDeviceContext("com1");
 * DeviceModel<UartState> uart = new UartFactory().create(Uart.com1(), machine);
 * uart.reset();
 * machine.out(0x3F8, 1, 'A');
 * assert machine.fakeConsole().output().equals("A");
 * }
 *
 * <p>Not safe for several threads.
 */
public final class FakeDeviceContext implements DeviceContext {
  /** How many interrupt lines there are. */
  public static final int LINES = 24;

  /** A claimed range of ports or addresses: {@code [base, base + length)}. */
  public record Claimed(boolean ports, long base, long length, int width) {}

  /** A message to the local APICs. */
  public record Message(long address, int data) {}

  /** A doorbell of a claim, which may be off the bus. */
  public record Bell(boolean ports, long claimLength, long offset, int size, OptionalLong value) {}

  private record Doorbell(long offset, int size, OptionalLong value, Runnable action) {}

  private record Controller(int first, int count, InterruptController controller) {}

  private final String path;
  private final boolean restoring;
  private final FakeClock clock = new FakeClock();
  private final FakeConsole console = new FakeConsole();
  private final FakeMemory memory;
  private final List<Claim> claims = new ArrayList<>();
  private final List<Controller> controllers = new ArrayList<>();
  private final List<IntConsumer> endOfInterrupt = new ArrayList<>();
  private final List<Message> messages = new ArrayList<>();
  private final List<PlatformFact> facts = new ArrayList<>();
  private final List<VmExit> exits = new ArrayList<>();
  private final List<PowerButton> powerButtons = new ArrayList<>();
  private final List<String> events = new ArrayList<>();
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private final boolean[] lines = new boolean[LINES];
  private final int[] edges = new int[LINES];
  private final boolean[] outside = new boolean[LINES];
  private Optional<ExternalInterruptSource> acknowledged = Optional.empty();
  private boolean intr;
  private int nonMaskableInterrupts;

  /** A machine with 16 MiB of RAM, as a PC lays it out. */
  public FakeDeviceContext(String path) {
    this(path, false);
    memory.addRam(0, MemorySize.kibibytes(640));
    memory.addRam(1 << 20, MemorySize.mebibytes(15));
  }

  /** A machine without RAM. */
  public FakeDeviceContext(String path, boolean restoring) {
    this.path = path;
    this.restoring = restoring;
    this.memory = new FakeMemory(path);
  }

  /**
   * A machine that is being restored: it has the time, the memory, the lines that are driven from
   * outside and the waiting input of this one, and no device yet.
   */
  public FakeDeviceContext twin() {
    FakeDeviceContext twin = new FakeDeviceContext(path, true);
    twin.memory.addAllRam(memory);
    twin.memory.copyFrom(memory);
    twin.clock.setWithoutFiring(clock.nanoTime());
    twin.console.copyInputFrom(console);
    System.arraycopy(outside, 0, twin.outside, 0, LINES);
    return twin;
  }

  // What a test does.

  /** IN of 1, 2 or 4 bytes: split by the claim's width; all ones where nobody is. */
  public int in(int port, int size) {
    return (int) load(true, port, size);
  }

  /** OUT of 1, 2 or 4 bytes. */
  public void out(int port, int size, int value) {
    store(true, port, size, value & 0xFFFF_FFFFL);
  }

  /** IN of a byte. */
  public int in8(int port) {
    return in(port, 1);
  }

  /** OUT of a byte. */
  public void out8(int port, int value) {
    out(port, 1, value);
  }

  /** A load of 1, 2, 4 or 8 bytes from a window. */
  public long readMmio(long address, int size) {
    return load(false, address, size);
  }

  /** A store of 1, 2, 4 or 8 bytes to a window. */
  public void writeMmio(long address, int size, long value) {
    store(false, address, size, value);
  }

  private long load(boolean ports, long address, int size) {
    Optional<Claim> claim = claimAt(ports, address, size);
    if (claim.isPresent()) {
      Claim target = claim.get();
      long value =
          ports
              ? target.portHandler().read((int) (address - target.base), size)
              : target.mmioHandler().read(address - target.base, size);
      return value & mask(size);
    }
    if (size == 1) {
      return 0xFF;
    }
    int half = size / 2;
    return load(ports, address, half) | load(ports, address + half, half) << 8 * half;
  }

  private void store(boolean ports, long address, int size, long value) {
    Optional<Claim> claim = claimAt(ports, address, size);
    if (claim.isPresent()) {
      Claim target = claim.get();
      Optional<Doorbell> doorbell =
          target.doorbell(address - target.base, size, value & mask(size));
      if (doorbell.isPresent()) {
        doorbell.get().action.run();
      } else if (ports) {
        int narrow = (int) (value & mask(size));
        target.portHandler().write((int) (address - target.base), size, narrow);
      } else {
        target.mmioHandler().write(address - target.base, size, value & mask(size));
      }
    } else if (size > 1) {
      int half = size / 2;
      store(ports, address, half, value & mask(half));
      store(ports, address + half, half, value >>> 8 * half & mask(half));
    }
  }

  private static long mask(int size) {
    return size == 8 ? -1 : (1L << 8 * size) - 1;
  }

  private Optional<Claim> claimAt(boolean ports, long address, int size) {
    return claims.stream()
        .filter(c -> c.ports == ports && c.active && size <= c.width.bytes())
        .filter(c -> address >= c.base && address + size <= c.base + c.length)
        .findFirst();
  }

  /** Lets guest time pass: timers fire, tasks run. */
  public void advance(Duration time) {
    runTasks();
    clock.advance(time);
    runTasks();
  }

  /** Runs the tasks that the device has asked for. */
  public void runTasks() {
    for (int left = tasks.size(); left > 0; left--) {
      tasks.remove().run();
    }
  }

  /** Drives an interrupt line as another device would. */
  public void setLine(int line, boolean asserted) {
    if (outside[line] != asserted) {
      outside[line] = asserted;
      for (Controller each : controllers) {
        if (line >= each.first && line < each.first + each.count) {
          each.controller.lineChanged(line, asserted);
        }
      }
    }
  }

  /** Whether the device asserts an interrupt line. */
  public boolean line(int line) {
    return lines[line];
  }

  /** How often the device has raised an interrupt line. */
  public int edges(int line) {
    return edges[line];
  }

  /** The INTR pin. */
  public boolean externalInterrupt() {
    return intr;
  }

  /**
   * The processor's acknowledge cycle.
   *
   * @throws IllegalStateException if no controller is connected
   */
  public int acknowledge() {
    return acknowledged
        .orElseThrow(() -> new IllegalStateException("no controller drives INTR"))
        .acknowledge();
  }

  /** Whether the device drives INTR. */
  public boolean drivesExternalInterrupt() {
    return acknowledged.isPresent();
  }

  /** Tells the device that a local APIC has ended a level-triggered interrupt. */
  public void endInterrupt(int vector) {
    endOfInterrupt.forEach(listener -> listener.accept(vector));
  }

  /** The messages sent, oldest first. */
  public List<Message> messages() {
    return List.copyOf(messages);
  }

  /** Presses every power button that the device has offered. */
  public void pressPowerButton() {
    powerButtons.forEach(PowerButton::press);
    runTasks();
  }

  /** The exits asked for, oldest first. */
  public List<VmExit> exits() {
    return List.copyOf(exits);
  }

  /** The facts stated. */
  public List<PlatformFact> facts() {
    return List.copyOf(facts);
  }

  /** How often NMI was pulsed. */
  public int nonMaskableInterrupts() {
    return nonMaskableInterrupts;
  }

  /** What is on the buses now. */
  public List<Claimed> claimed() {
    return claims.stream()
        .filter(claim -> claim.active)
        .map(c -> new Claimed(c.ports, c.base, c.length, c.width.bytes()))
        .toList();
  }

  /** The doorbells of all claims, in the order of their making. */
  public List<Bell> doorbells() {
    return claims.stream()
        .flatMap(c ->
            c.doorbells.stream().map(d -> new Bell(c.ports, c.length, d.offset, d.size, d.value)))
        .toList();
  }

  /**
   * Rings a doorbell, wherever its claim is by now: the ring of a store may be told later.
   *
   * @param index in {@link #doorbells}
   */
  public void ring(int index) {
    claims.stream().flatMap(c -> c.doorbells.stream()).toList().get(index).action.run();
  }

  /** Whether the device takes interrupt lines. */
  public boolean isInterruptController() {
    return !controllers.isEmpty();
  }

  /** What the device did to the outside, in order, as text. */
  public List<String> events() {
    return List.copyOf(events);
  }

  /** Forgets the events so far. */
  public void clearEvents() {
    events.clear();
  }

  /** The clock. */
  public FakeClock fakeClock() {
    return clock;
  }

  /** The host's end of the console. */
  public FakeConsole fakeConsole() {
    return console;
  }

  /** The memory. */
  public FakeMemory fakeMemory() {
    return memory;
  }

  // What a device sees.

  @Override
  public String path() {
    return path;
  }

  @Override
  public boolean restoring() {
    return restoring;
  }

  @Override
  public FakeClock clock() {
    return clock;
  }

  /** Follows from the path alone. */
  @Override
  public long randomSeed() {
    return path.hashCode();
  }

  @Override
  public int cpus() {
    return 1;
  }

  /** 16 MiB, whatever RAM a test has given it. */
  @Override
  public MemorySize ram() {
    return MemorySize.mebibytes(16);
  }

  @Override
  public FakeMemory memory() {
    return memory;
  }

  @Override
  public AddressClaim claimPorts(int first, int count, AccessWidth width, PortHandler handler) {
    return claim(new Claim(true, first, count, width, Optional.of(handler), Optional.empty()));
  }

  @Override
  public AddressClaim claimMmio(long base, long length, AccessWidth width, MmioHandler handler) {
    return claim(new Claim(false, base, length, width, Optional.empty(), Optional.of(handler)));
  }

  @Override
  public AddressClaim claimPorts(int count, AccessWidth width, PortHandler handler) {
    return claimPorts(-1, count, width, handler);
  }

  @Override
  public AddressClaim claimMmio(long length, AccessWidth width, MmioHandler handler) {
    return claimMmio(-1, length, width, handler);
  }

  @Override
  public <T> void offerBus(Class<T> type, T bus) {}

  @Override
  public <T> T bus(Class<T> type) {
    throw new DeviceException(path, "no bus");
  }

  private AddressClaim claim(Claim claim) {
    claims.add(claim);
    claim.moveTo(claim.base);
    return claim;
  }

  @Override
  public InterruptLine interruptLine(int line) {
    if (line < 0 || line >= LINES) {
      throw new DeviceException(path, "no interrupt line " + line);
    }
    return asserted -> {
      if (lines[line] != asserted) {
        lines[line] = asserted;
        edges[line] += asserted ? 1 : 0;
        events.add("line %d %s".formatted(line, asserted ? "asserted" : "released"));
      }
    };
  }

  @Override
  public void claimInterruptLines(int first, int count, InterruptController controller) {
    controllers.add(new Controller(first, count, controller));
  }

  @Override
  public InterruptLine connectExternalInterrupt(ExternalInterruptSource source) {
    if (acknowledged.isPresent()) {
      throw new DeviceException(path, "INTR is connected already");
    }
    acknowledged = Optional.of(source);
    return asserted -> {
      if (intr != asserted) {
        intr = asserted;
        events.add("INTR " + asserted);
      }
    };
  }

  @Override
  public MessageInterrupts messageInterrupts() {
    return new MessageInterrupts() {
      @Override
      public void send(long address, int data) {
        messages.add(new Message(address, data));
        events.add("message 0x%x to 0x%x".formatted(data, address));
      }

      @Override
      public void onEndOfInterrupt(IntConsumer listener) {
        endOfInterrupt.add(listener);
      }
    };
  }

  /** Sends at once: whoever calls here holds the lock. */
  @Override
  public InterruptSignal interruptSignal() {
    return new InterruptSignal() {
      private Optional<Message> message = Optional.empty();

      @Override
      public void route(long address, int data) {
        message = Optional.of(new Message(address, data));
      }

      @Override
      public void mute() {
        message = Optional.empty();
      }

      @Override
      public void raise() {
        message.ifPresent(m -> messageInterrupts().send(m.address, m.data));
      }
    };
  }

  @Override
  public void nonMaskableInterrupt() {
    nonMaskableInterrupts++;
    events.add("NMI");
  }

  @Override
  public DeviceMemory deviceMemory(String name, MemorySize size) {
    return memory.deviceMemory(name, size);
  }

  @Override
  public Optional<DeviceMemory> restoredMemory(String name) {
    return restoring ? memory.known(name) : Optional.empty();
  }

  @Override
  public DeviceTimer timer(String name, Runnable action) {
    return clock.timer(name, action);
  }

  @Override
  public FakeConsole console() {
    return console;
  }

  @Override
  public void describe(PlatformFact fact) {
    facts.add(fact);
  }

  @Override
  public <T> void offer(Class<T> type, T endpoint) {
    if (endpoint instanceof PowerButton button) {
      powerButtons.add(button);
    }
  }

  @Override
  public void requestExit(VmExit exit) {
    exits.add(exit);
    events.add("exit " + exit);
  }

  @Override
  public DeviceWorker worker(String name, DeviceWorker.Requests requests) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  private final class Claim implements AddressClaim {
    private final boolean ports;
    private final long length;
    private final AccessWidth width;
    private final Optional<PortHandler> portHandler;
    private final Optional<MmioHandler> mmioHandler;
    private final List<Doorbell> doorbells = new ArrayList<>();
    private long base;
    private boolean active;

    Claim(
        boolean ports,
        long base,
        long length,
        AccessWidth width,
        Optional<PortHandler> portHandler,
        Optional<MmioHandler> mmioHandler) {
      this.ports = ports;
      this.base = base;
      this.length = length;
      this.width = width;
      this.portHandler = portHandler;
      this.mmioHandler = mmioHandler;
    }

    PortHandler portHandler() {
      return portHandler.orElseThrow();
    }

    MmioHandler mmioHandler() {
      return mmioHandler.orElseThrow();
    }

    Optional<Doorbell> doorbell(long offset, int size, long value) {
      return doorbells.stream()
          .filter(d -> d.offset == offset && d.size == size)
          .filter(d -> d.value.isEmpty() || (d.value.getAsLong() & mask(size)) == value)
          .findFirst();
    }

    @Override
    public void doorbell(long offset, int size, OptionalLong value, Runnable action) {
      boolean fits = Integer.bitCount(size) == 1 && size <= width.bytes();
      if (!fits || offset < 0 || offset + size > length) {
        throw new DeviceException(path, "no room for a doorbell at offset " + offset);
      }
      boolean rings =
          doorbells.stream()
              .filter(d -> d.offset == offset && d.size == size)
              .anyMatch(d ->
                  d.value.isEmpty()
                      || value.isEmpty()
                      || ((d.value.getAsLong() ^ value.getAsLong()) & mask(size)) == 0);
      if (rings) {
        throw new DeviceException(path, "there is a doorbell for such stores to offset " + offset);
      }
      doorbells.add(new Doorbell(offset, size, value, action));
    }

    @Override
    public void moveTo(long newBase) {
      base = newBase;
      active = newBase >= 0;
    }

    @Override
    public boolean isSeen() {
      return active;
    }

    @Override
    public void disable() {
      active = false;
    }

    @Override
    public long base() {
      return active ? base : -1;
    }
  }
}
