package io.vmm4j.api.pci;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PortHandler;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * A function of a PCI Express device with a header of type 0 (PCI 3.0, 6.1): its configuration
 * space, its BARs, which the guest moves and disables at any moment, and its interrupts by pin, MSI
 * or MSI-X. A device model makes one, and has its state as a part of its own.
 *
 * {@snippet :
 * PciFunction.Builder builder = PciFunction.builder(context, 0x1AF4, 0x1005, 0x00FF00);
 * AddressClaim registers =
 *     builder.memoryBar(0, BarKind.MEMORY_64, 0x4000, AccessWidth.DWORD, this);
 * builder.messageTable(4, 3);
 * PciFunction pci = builder.build();
 * }
 *
 * <p>With the machine lock held.
 */
public final class PciFunction implements ConfigSpace {
  private final PciRegisters registers;
  private final List<Bar> bars;
  private final Optional<Messages> messages;
  private final Optional<MessageTable> table;
  private final Optional<InterruptLine> pin;
  private final Optional<ExpressPort> port;
  private final Optional<BusBehind> below;
  private final int expressAt;
  private final Runnable functionReset;
  private final IntConsumer stored;
  private final PciAddress address;
  private boolean interrupt;

  /** Whether the slot of a port asks for an interrupt. */
  private boolean slotAsks;

  private PciFunction(Builder builder) {
    registers = builder.registers;
    bars = List.copyOf(builder.bars.values());
    messages = builder.messages;
    table = builder.table;
    port = builder.port;
    below = builder.below;
    expressAt = builder.expressAt;
    functionReset = builder.functionReset;
    stored = builder.stored;
    address = builder.connect.apply(this);
    pin =
        builder.pin == 0
            ? Optional.empty()
            : Optional.of(builder.routing.get().connect(address, builder.pin));
    registers.reset();
  }

  /**
   * Begins a function of the bus that is above the device's path.
   *
   * @param vendor its vendor id
   * @param device its device id
   * @param classCode 24 bits: class, subclass, programming interface
   */
  public static Builder builder(DeviceContext context, int vendor, int device, int classCode) {
    return new Builder(context, vendor, device, classCode);
  }

  /** Where it is on its bus. */
  public PciAddress address() {
    return address;
  }

  // ---- interrupts ----

  /**
   * Asks for an interrupt by a message, if the guest has enabled messages.
   *
   * @param vector 0 for the first
   * @return false if it has not: the pin is to be used
   */
  public boolean raise(int vector) {
    boolean byTable = table.isPresent() && table.get().isEnabled();
    boolean byMessage = !byTable && messages.isPresent() && messages.get().isEnabled();
    if (isBusMaster()) {
      // A message is a store, which a function that is no bus master can't do.
      if (byTable) {
        table.get().raise(vector);
      } else if (byMessage) {
        messages.get().raise(vector);
      }
    }
    return byTable || byMessage;
  }

  /** Asks for an interrupt by the pin, as long as it is set, unless the guest wants messages. */
  public void setInterrupt(boolean asserted) {
    interrupt = asserted;
    drive();
  }

  private void drive() {
    long status = registers.get(PciRegisters.STATUS, 2) & ~PciRegisters.STATUS_INTERRUPT;
    registers.set(PciRegisters.STATUS, 2, status | (interrupt ? PciRegisters.STATUS_INTERRUPT : 0));
    boolean byMessage =
        table.map(MessageTable::isEnabled).orElse(false)
            || messages.map(Messages::isEnabled).orElse(false);
    boolean byPin = interrupt && !byMessage && !isSet(PciRegisters.COMMAND_INTX_DISABLE);
    pin.ifPresent(line -> line.set(byPin));
  }

  private boolean isSet(int commandBit) {
    return (registers.get(PciRegisters.COMMAND, 2) & commandBit) != 0;
  }

  /** Whether the guest lets it reach memory. */
  public boolean isBusMaster() {
    return isSet(PciRegisters.COMMAND_BUS_MASTER);
  }

  // ---- its space ----

  @Override
  public int read(int offset, int size) {
    return (int) registers.get(offset, size);
  }

  @Override
  public void write(int offset, int size, int value) {
    registers.store(offset, size, value);
    follow();
    messages.ifPresent(Messages::written);
    if (isBusMaster()) {
      table.ifPresent(MessageTable::written);
    }
    lookAtSlot();
    drive();
    stored.accept(offset);
    if (expressAt != 0 && (registers.get(expressAt + 8, 2) & 0x8000) != 0) {
      resetFunction();
    }
  }

  /** Interrupts by the slot of a port: a level at the pin, or a message when it begins. */
  private void lookAtSlot() {
    if (port.isPresent()) {
      boolean asks = port.get().wantsInterrupt();
      if (asks && !slotAsks) {
        raise(0);
      }
      slotAsks = asks;
      interrupt = asks;
    }
  }

  /**
   * Says whether there is a device in the slot of a port.
   *
   * @param changed whether the guest is to be told
   */
  public void setPresent(boolean present, boolean changed) {
    port.ifPresent(slot -> slot.setPresent(present, changed));
    lookAtSlot();
    drive();
  }

  @Override
  public Optional<ConfigSpace> behind(int bus, int device, int function) {
    if (below.isEmpty()) {
      return Optional.empty();
    }
    int secondary = (int) registers.get(PciRegisters.SECONDARY_BUS, 1);
    int last = (int) registers.get(PciRegisters.SUBORDINATE_BUS, 1);
    if (secondary == 0 || bus < secondary || bus > last) {
      return Optional.empty();
    }
    if (bus == secondary) {
      return below.get().find(device, function);
    }
    for (int bridge = 0; bridge < 32; bridge++) {
      Optional<ConfigSpace> found =
          below.get().find(bridge, 0).flatMap(next -> next.behind(bus, device, function));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private void resetFunction() {
    reset();
    functionReset.run();
  }

  private void follow() {
    for (Bar bar : bars) {
      boolean decoded =
          isSet(bar.kind() == BarKind.IO ? PciRegisters.COMMAND_IO : PciRegisters.COMMAND_MEMORY);
      bar.follow(registers.get(bar.offset(), bar.kind().isWide() ? 8 : 4), decoded);
    }
  }

  /** A register of the device's own, as it is now. */
  public long register(int offset, int size) {
    return registers.get(offset, size);
  }

  /** Sets a register of the device's own. */
  public void setRegister(int offset, int size, long value) {
    registers.set(offset, size, value);
  }

  // ---- state ----

  /** Returns to the state after power-on: BARs are zero, and nothing is decoded. */
  public void reset() {
    registers.reset();
    table.ifPresent(MessageTable::reset);
    interrupt = false;
    slotAsks = false;
    bars.forEach(Bar::forget);
    follow();
    drive();
  }

  /** Its state. */
  public PciFunctionState save() {
    return new PciFunctionState(
        registers.save(), interrupt, table.map(MessageTable::save).orElse(List.of()));
  }

  /**
   * Takes on a saved state: BARs are where they were, and the pin is as it was. No message is sent.
   *
   * @throws IllegalArgumentException if it is not of such a function; the message names the field
   */
  public void restore(PciFunctionState state) {
    if (table.isEmpty() && !state.vectors().isEmpty()) {
      throw new IllegalArgumentException("vectors: the device has no MSI-X");
    }
    registers.restore(state.config());
    table.ifPresent(known -> known.restore(state.vectors()));
    messages.ifPresent(known -> known.restore(state.config()));
    interrupt = state.interrupt();
    slotAsks = interrupt && port.isPresent();
    bars.forEach(Bar::forget);
    follow();
    drive();
  }

  /** Where a function goes, and which interrupts it has. */
  @FunctionalInterface
  private interface Connection {
    PciAddress apply(ConfigSpace space);
  }

  /** What a function has. */
  public static final class Builder {
    private static final int FIRST_CAPABILITY = 0x40;
    private static final int MSI = 0x05;
    private static final int VENDOR_SPECIFIC = 0x09;
    private static final int EXPRESS = 0x10;
    private static final int MSI_X = 0x11;

    private final DeviceContext context;
    private final PciRegisters registers = new PciRegisters();
    private final Map<Integer, Bar> bars = new HashMap<>();
    private final Connection connect;
    private final Optional<IntxRouting> routing;
    private Optional<Messages> messages = Optional.empty();
    private Optional<MessageTable> table = Optional.empty();
    private Runnable functionReset = () -> {};
    private IntConsumer stored = offset -> {};
    private Optional<ExpressPort> port = Optional.empty();
    private Optional<BusBehind> below = Optional.empty();
    private int pin;
    private int expressAt;
    private int lastLink = PciRegisters.CAPABILITIES;
    private int end = FIRST_CAPABILITY;

    private Builder(DeviceContext context, int vendor, int device, int classCode) {
      PciBus bus = context.bus(PciBus.class);
      this.context = context;
      this.connect = space -> bus.connect(context.path(), space);
      this.routing = Optional.of(bus.interrupts());
      identify(vendor, device, classCode);
    }

    private Builder(
        DeviceContext context, PciAddress place, int vendor, int device, int classCode) {
      this.context = context;
      this.connect = space -> place;
      this.routing = Optional.empty();
      identify(vendor, device, classCode);
    }

    private void identify(int vendor, int device, int classCode) {
      registers.define(0x00, 2, vendor, 0, 0);
      registers.define(0x02, 2, device, 0, 0);
      registers.define(PciRegisters.COMMAND, 2, 0, 0x0507, 0);
      registers.define(PciRegisters.STATUS, 2, 0, 0, 0xF900);
      registers.define(0x09, 3, classCode, 0, 0);
      registers.define(0x0C, 1, 0, 0xFF, 0); // cache line size
      registers.define(PciRegisters.INTERRUPT_LINE, 1, 0, 0xFF, 0);
    }

    /** Sets the revision. */
    public Builder revision(int revision) {
      registers.define(0x08, 1, revision, 0, 0);
      return this;
    }

    /** Sets the subsystem's ids. */
    public Builder subsystem(int vendor, int device) {
      registers.define(0x2C, 2, vendor, 0, 0);
      registers.define(0x2E, 2, device, 0, 0);
      return this;
    }

    /** Says that the device has other functions too. */
    public Builder multifunction() {
      registers.define(0x0E, 1, 0x80, 0, 0);
      return this;
    }

    private Bar bar(int index, BarKind kind, long size) {
      int last = index + (kind.isWide() ? 1 : 0);
      boolean free = index >= 0 && last <= 5 && !bars.containsKey(index) && !bars.containsKey(last);
      long least = kind == BarKind.IO ? 4 : 16;
      long most = kind == BarKind.IO ? 256 : kind.isWide() ? 1L << 40 : 1L << 31;
      boolean below =
          index > 0 && bars.containsKey(index - 1) && bars.get(index - 1).kind().isWide();
      if (!free || below || Long.bitCount(size) != 1 || size < least || size > most) {
        throw new DeviceException(
            context.path(), "no BAR %d of %d bytes (%s)".formatted(index, size, kind));
      }
      Bar bar = new Bar(index, kind, size);
      bars.put(index, bar);
      registers.define(bar.offset(), kind.isWide() ? 8 : 4, kind.flags(), bar.writable(), 0);
      return bar;
    }

    /** Adds a BAR of ports; a power of 2 from 4 to 256. */
    public AddressClaim portBar(int index, int count, AccessWidth width, PortHandler handler) {
      AddressClaim claim = context.claimPorts(count, width, handler);
      bar(index, BarKind.IO, count).add(0, claim);
      return claim;
    }

    /** Adds a BAR whose accesses are trapped; the size is a power of 2, at least 16. */
    public AddressClaim memoryBar(
        int index, BarKind kind, long size, AccessWidth width, MmioHandler handler) {
      requireMemory(kind);
      AddressClaim claim = context.claimMmio(size, width, handler);
      bar(index, kind, size).add(0, claim);
      return claim;
    }

    /** Adds a BAR that is device memory; its size is a power of 2. */
    public DeviceMemoryMapping memoryBar(
        int index, BarKind kind, DeviceMemory memory, GuestAccess access) {
      requireMemory(kind);
      long size = memory.size().bytes();
      DeviceMemoryMapping mapping = memory.map("bar" + index, 0, size, 0, GuestAccess.OFF);
      bar(index, kind, size).add(0, mapping, access);
      return mapping;
    }

    private void requireMemory(BarKind kind) {
      if (kind == BarKind.IO) {
        throw new DeviceException(context.path(), "a BAR of memory can't be of ports");
      }
    }

    /** Adds an interrupt pin, 1 for INTA to 4 for INTD. */
    public Builder pin(int number) {
      pin = number;
      registers.define(PciRegisters.INTERRUPT_PIN, 1, number, 0, 0);
      return this;
    }

    /** Puts a capability behind the others, and says where it is. */
    private int link(int id, int bytes) {
      int at = end;
      end += bytes + 3 & ~3;
      if (end > 256) {
        throw new DeviceException(context.path(), "no room for capability 0x%02x".formatted(id));
      }
      registers.define(at, 1, id, 0, 0);
      registers.define(lastLink, 1, at, 0, 0);
      registers.define(PciRegisters.STATUS, 2, PciRegisters.STATUS_CAPABILITIES, 0, 0xF900);
      lastLink = at + 1;
      return at;
    }

    /**
     * Adds a capability of the vendor's own (PCI 3.0, appendix H).
     *
     * @param body what follows the id and the link, as it is after power-on
     * @param writable the bits of the body that a guest writes
     * @return where the body begins
     */
    public int vendorCapability(byte[] body, byte[] writable) {
      int at = link(VENDOR_SPECIFIC, body.length + 2);
      for (int i = 0; i < body.length; i++) {
        registers.define(at + 2 + i, 1, body[i], writable[i], 0);
      }
      return at + 2;
    }

    /**
     * Adds a register outside of capabilities, as chipsets have.
     *
     * @param value after power-on
     * @param writable the bits that a guest writes
     */
    public Builder register(int offset, int size, long value, long writable) {
      registers.define(offset, size, value, writable, 0);
      return this;
    }

    /** Adds MSI for 1, 2, 4, 8, 16 or 32 vectors. */
    public Builder messages(int vectors) {
      if (Integer.bitCount(vectors) != 1 || vectors > 32) {
        throw new DeviceException(context.path(), "no MSI of %d vectors".formatted(vectors));
      }
      int at = link(MSI, Messages.BYTES);
      messages = Optional.of(new Messages(registers, context.messageInterrupts(), at, vectors));
      return this;
    }

    /** Adds MSI-X for 1 to 2048 vectors, whose table is a BAR of its own, of 32 bits. */
    public Builder messageTable(int barIndex, int vectors) {
      if (vectors < 1 || vectors > 2048) {
        throw new DeviceException(context.path(), "no MSI-X of %d vectors".formatted(vectors));
      }
      int at = link(MSI_X, MessageTable.BYTES);
      MessageTable made =
          new MessageTable(registers, context.messageInterrupts(), at, vectors, barIndex);
      table = Optional.of(made);
      memoryBar(barIndex, BarKind.MEMORY_32, made.size(), AccessWidth.QWORD, made);
      return this;
    }

    /**
     * Makes it a PCI Express endpoint that is integrated into the root complex, with function-level
     * reset (PCI Express 3.0, 7.8).
     *
     * @param onFunctionReset called after the function was reset, to reset the device
     */
    public Builder express(Runnable onFunctionReset) {
      int at = link(EXPRESS, 60);
      registers.define(at + 2, 2, 9 << 4 | 2, 0, 0); // root complex integrated endpoint, version 2
      registers.define(at + 4, 4, 1 << 28 | 1 << 15, 0, 0); // function-level reset, error roles
      registers.define(at + 8, 2, 0x2810, 0xFFFF, 0);
      registers.define(at + 10, 2, 0, 0, 0x0F);
      expressAt = at;
      functionReset = onFunctionReset;
      return this;
    }

    /**
     * Makes it a PCI Express root port with a slot for hot plug, which is a bridge (PCI Express
     * 3.0, 7.5.1.2 and 7.8). {@link PciFunction#setPresent} says what is in the slot.
     *
     * @param slot its number, 0 to 255, which no other slot has
     * @param behind the bus on the other side
     */
    public Builder rootPort(int slot, BusBehind behind) {
      registers.define(0x0E, 1, 1, 0, 0); // header type 1
      registers.define(PciRegisters.PRIMARY_BUS, 4, 0, 0x00FF_FFFF, 0);
      registers.define(0x1C, 2, 0, 0xF0F0, 0); // I/O base and limit
      registers.define(0x1E, 2, 0, 0, 0xF900); // secondary status
      registers.define(0x20, 4, 0, 0xFFF0_FFF0L, 0); // memory base and limit
      registers.define(0x24, 4, 0x0001_0001, 0xFFF0_FFF0L, 0); // prefetchable, 64 bits
      registers.define(0x28, 8, 0, -1, 0);
      registers.define(0x3E, 2, 0, 0x005F, 0); // bridge control
      port = Optional.of(new ExpressPort(registers, link(EXPRESS, ExpressPort.BYTES), slot));
      below = Optional.of(behind);
      return this;
    }

    /** Registers who hears, after it was done, of a store to the configuration space. */
    public Builder onStore(IntConsumer offset) {
      stored = offset;
      return this;
    }

    /**
     * Makes it, and puts it on the bus.
     *
     * @throws DeviceException if its place is taken
     */
    public PciFunction build() {
      return new PciFunction(this);
    }
  }

  /**
   * Begins a function of a chipset's, which its device has at a place of its own and no bus above.
   */
  public static Builder chipset(
      DeviceContext context, PciAddress place, int vendor, int device, int classCode) {
    return new Builder(context, place, vendor, device, classCode);
  }
}
