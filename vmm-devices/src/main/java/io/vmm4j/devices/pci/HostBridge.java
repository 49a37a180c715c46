package io.vmm4j.devices.pci;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.firmware.AcpiTable;
import io.vmm4j.api.firmware.Aml;
import io.vmm4j.api.pci.ConfigSpace;
import io.vmm4j.api.pci.IntxRouting;
import io.vmm4j.api.pci.PciAddress;
import io.vmm4j.api.pci.PciBus;
import io.vmm4j.api.pci.PciFunction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A PCI Express host bridge like that of Q35 (Intel 316966, 3 Series chipset) and the ISA bridge of
 * ICH9 (Intel 316972) at its side: configuration space by ports 0xCF8 and 0xCFC (PCI 3.0,
 * 3.2.2.3.2) and by memory (PCIEXBAR), the root bus, and the routing of interrupt pins. It is the
 * {@link PciBus} of the devices below its path.
 *
 * <p>PCIEXBAR is enabled after power-on, as firmware leaves it.
 */
final class HostBridge implements DeviceModel<HostBridgeState>, PciBus {
  static final long CONFIGURATION_BYTES = 256L << 20;

  private static final int ADDRESS_PORT = 0xCF8;
  private static final int DATA_PORT = 0xCFC;
  private static final int ADDRESS_ENABLE = 1 << 31;

  private static final PciAddress BRIDGE = new PciAddress(0, 0, 0);
  private static final PciAddress ISA = new PciAddress(0, 31, 0);
  private static final int PCIEXBAR = 0x60;
  private static final long PCIEXBAR_BASE = 0xF_F000_0000L;
  private static final int PCIEXBAR_ENABLE = 1;
  private static final int PIRQ_ROUTES = 0x60;
  private static final int ROOT_BUS = 0;

  private final Map<Integer, ConfigSpace> functions = new TreeMap<>();
  private final Map<String, PciAddress> places = new TreeMap<>();
  private final PirqRouting routing;
  private final AddressClaim window;
  private final PciFunction bridge;
  private final PciFunction isa;
  private int address;

  HostBridge(HostBridgeConfig config, DeviceContext context) {
    routing = new PirqRouting(context);
    // Without a fixed place: the reset control register of the board lies among them.
    context.claimPorts(4, AccessWidth.DWORD, new AddressPort()).moveTo(ADDRESS_PORT);
    context.claimPorts(4, AccessWidth.DWORD, new DataPort()).moveTo(DATA_PORT);
    window = context.claimMmio(CONFIGURATION_BYTES, AccessWidth.DWORD, new ConfigurationWindow());
    bridge =
        PciFunction.chipset(context, BRIDGE, 0x8086, 0x29C0, 0x060000)
            .revision(2)
            .register(
                PCIEXBAR,
                8,
                config.configuration() | PCIEXBAR_ENABLE,
                PCIEXBAR_BASE | PCIEXBAR_ENABLE)
            .onStore(offset -> moveWindow())
            .build();
    PciFunction.Builder isaBridge =
        PciFunction.chipset(context, ISA, 0x8086, 0x2918, 0x060100).revision(2).multifunction();
    for (int pirq = 0; pirq < PirqRouting.PIRQS; pirq++) {
      isaBridge.register(PIRQ_ROUTES + pirq, 1, 0x80, 0x8F);
    }
    isa = isaBridge.onStore(offset -> route()).build();
    functions.put(key(BRIDGE), bridge);
    functions.put(key(ISA), isa);
    context.offerBus(PciBus.class, this);
    context.describe(new Description(config.configuration()));
  }

  private static int key(PciAddress place) {
    return place.bus() << 8 | place.device() << 3 | place.function();
  }

  private void moveWindow() {
    long register = bridge.register(PCIEXBAR, 8);
    if ((register & PCIEXBAR_ENABLE) != 0) {
      window.moveTo(register & PCIEXBAR_BASE);
    } else {
      window.disable();
    }
  }

  private void route() {
    for (int pirq = 0; pirq < PirqRouting.PIRQS; pirq++) {
      routing.route(pirq, (int) isa.register(PIRQ_ROUTES + pirq, 1));
    }
  }

  // ---- the bus ----

  @Override
  public PciAddress connect(String path, ConfigSpace space) {
    PciAddress place =
        PciAddress.ofPath(path)
            .filter(found -> found.bus() == ROOT_BUS)
            .orElseThrow(() ->
                new DeviceException(
                    path, "its path has no place on the root bus at its end, such as 00:03.0"));
    if (functions.putIfAbsent(key(place), space) != null) {
      throw new DeviceException(path, "there is a function at %s already".formatted(place));
    }
    places.put(path, place);
    return place;
  }

  @Override
  public void deviceRemoved(String path) {
    PciAddress place = places.remove(path);
    if (place != null) {
      functions.remove(key(place));
      routing.disconnect(place);
    }
  }

  @Override
  public IntxRouting interrupts() {
    return routing;
  }

  // ---- configuration space ----

  private Optional<ConfigSpace> find(int function) {
    int bus = function >> 8;
    if (bus == ROOT_BUS) {
      return Optional.ofNullable(functions.get(function));
    }
    for (ConfigSpace bridge : functions.values()) {
      Optional<ConfigSpace> found = bridge.behind(bus, function >> 3 & 31, function & 7);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private int load(int function, int offset, int size) {
    return find(function).map(space -> space.read(offset, size)).orElse(-1);
  }

  private void store(int function, int offset, int size, int value) {
    find(function).ifPresent(space -> space.write(offset, size, value));
  }

  private final class AddressPort implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return size == 4 ? address : -1;
    }

    @Override
    public void write(int offset, int size, int value) {
      if (size == 4) {
        address = value & (ADDRESS_ENABLE | 0xFF_FFFC);
      }
    }
  }

  private final class DataPort implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return (address & ADDRESS_ENABLE) == 0
          ? -1
          : load(address >> 8 & 0xFFFF, address & 0xFC | offset, size);
    }

    @Override
    public void write(int offset, int size, int value) {
      if ((address & ADDRESS_ENABLE) != 0) {
        store(address >> 8 & 0xFFFF, address & 0xFC | offset, size, value);
      }
    }
  }

  private final class ConfigurationWindow implements MmioHandler {
    @Override
    public long read(long offset, int size) {
      int at = (int) offset & 0xFFF;
      if ((at & 3) + size > 4) {
        return -1; // across two double words: nobody does so
      }
      return load((int) (offset >> 12), at, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      int at = (int) offset & 0xFFF;
      if ((at & 3) + size <= 4) {
        store((int) (offset >> 12), at, size, (int) value);
      }
    }
  }

  // ---- state ----

  @Override
  public void reset() {
    address = 0;
    bridge.reset();
    isa.reset();
    moveWindow();
    route();
  }

  @Override
  public HostBridgeState save() {
    return new HostBridgeState(address, bridge.save(), isa.save());
  }

  @Override
  public void restore(HostBridgeState state) {
    address = state.address() & (ADDRESS_ENABLE | 0xFF_FFFC);
    bridge.restore(state.bridge());
    isa.restore(state.isa());
    moveWindow();
    route();
  }

  /** What ACPI tables say of the bus: ACPI 6.4, 6.2.13; PCI firmware 3.2, 4.1.2 and 4.5. */
  private final class Description implements PlatformFact.AcpiContent {
    private static final long WINDOW = 0xC000_0000L;
    private static final long WINDOW_END = 0xFEC0_0000L;
    private static final long WIDE_WINDOW = 0x80_0000_0000L;
    private static final long WIDE_WINDOW_END = 0x100_0000_0000L;

    private final long configuration;

    Description(long configuration) {
      this.configuration = configuration;
    }

    @Override
    public List<byte[]> systemBusObjects() {
      return List.of(
          Aml.device(
              "PCI0",
              Aml.name("_HID", Aml.hardwareId("PNP0A08")),
              Aml.name("_CID", Aml.hardwareId("PNP0A03")),
              Aml.name("_SEG", Aml.integer(0)),
              Aml.name("_BBN", Aml.integer(ROOT_BUS)),
              Aml.name("_UID", Aml.integer(0)),
              Aml.name("_CRS", windows()),
              Aml.name("_PRT", routes()),
              // The system may have all that it asks for: no firmware wants it.
              Aml.method("_OSC", 4, Aml.returnArgument(3))),
          Aml.device(
              "MRES",
              Aml.name("_HID", Aml.hardwareId("PNP0C02")),
              Aml.name("_UID", Aml.integer(0)),
              Aml.name(
                  "_CRS", Aml.resourceTemplate(Aml.memory(configuration, CONFIGURATION_BYTES)))));
    }

    private byte[] windows() {
      byte[] below =
          configuration == WINDOW
              ? new byte[0]
              : Aml.produced(Aml.Space.MEMORY, 4, WINDOW, configuration - 1);
      return Aml.resourceTemplate(
          Aml.concat(
              Aml.produced(Aml.Space.BUSES, 2, 0, 0xFF),
              Aml.ports(ADDRESS_PORT, 8),
              Aml.produced(Aml.Space.PORTS, 2, 0, ADDRESS_PORT - 1),
              Aml.produced(Aml.Space.PORTS, 2, ADDRESS_PORT + 8, 0xFFFF),
              Aml.produced(Aml.Space.MEMORY, 4, 0xA_0000, 0xB_FFFF),
              below,
              Aml.produced(
                  Aml.Space.MEMORY, 4, configuration + CONFIGURATION_BYTES, WINDOW_END - 1),
              Aml.produced(Aml.Space.PREFETCHABLE, 8, WIDE_WINDOW, WIDE_WINDOW_END - 1)));
    }

    private byte[] routes() {
      byte[][] routes = new byte[31 * 4][];
      for (int device = 1; device <= 31; device++) {
        for (int pin = 1; pin <= 4; pin++) {
          routes[(device - 1) * 4 + pin - 1] =
              Aml.packageOf(
                  Aml.integer(device << 16 | 0xFFFF),
                  Aml.integer(pin - 1),
                  Aml.integer(0),
                  Aml.integer(routing.globalInterrupt(device, pin)));
        }
      }
      return Aml.packageOf(routes);
    }

    @Override
    public List<AcpiTable> tables() {
      byte[] reserved = new byte[8];
      return List.of(
          new AcpiTable(
              "MCFG",
              1,
              Aml.concat(
                  reserved,
                  Aml.littleEndian(configuration, 8),
                  Aml.littleEndian(0, 2),
                  new byte[] {0, (byte) 0xFF},
                  new byte[4])));
    }
  }
}
