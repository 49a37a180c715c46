package io.vmm4j.devices.pci;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.pci.ConfigSpace;
import io.vmm4j.api.pci.IntxRouting;
import io.vmm4j.api.pci.PciAddress;
import io.vmm4j.api.pci.PciBus;
import io.vmm4j.api.pci.PciFunction;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A PCI Express root port (PCI Express 3.0, 1.3.1) with a slot whose device may come and go. It is
 * the {@link PciBus} of the device in the slot, whose path lies below its own and ends with device
 * 0: {@code pci/00:02.0/01:00.0}. The bus number there is a name: the guest numbers buses.
 *
 * <p>Windows of the bridge are kept and not acted upon: what the guest gives a BAR is where it is.
 */
final class RootPort implements DeviceModel<RootPortState>, PciBus, IntxRouting {
  private static final int VENDOR = 0x8086;
  private static final int DEVICE = 0x3420;
  private static final int CLASS = 0x060400;
  private static final int PINS = 4;

  private final DeviceContext context;
  private final IntxRouting upstream;
  private final PciFunction pci;
  private final Map<Integer, ConfigSpace> functions = new TreeMap<>();
  private final Map<String, PciAddress> places = new TreeMap<>();
  private final Map<Integer, InterruptLine> pins = new TreeMap<>();
  private boolean poweredOn;

  RootPort(RootPortConfig config, DeviceContext context) {
    this.context = context;
    upstream = context.bus(PciBus.class).interrupts();
    pci =
        PciFunction.builder(context, VENDOR, DEVICE, CLASS)
            .pin(1)
            .rootPort(config.slot(), this::find)
            .messages(1)
            .build();
    context.offerBus(PciBus.class, this);
  }

  private Optional<ConfigSpace> find(int device, int function) {
    return device == 0 ? Optional.ofNullable(functions.get(function)) : Optional.empty();
  }

  @Override
  public PciAddress connect(String path, ConfigSpace space) {
    PciAddress place =
        PciAddress.ofPath(path)
            .filter(found -> found.device() == 0)
            .orElseThrow(() ->
                new DeviceException(
                    path, "its path has no place in a slot at its end, such as 01:00.0"));
    if (functions.putIfAbsent(place.function(), space) != null) {
      throw new DeviceException(path, "there is a function in the slot already");
    }
    places.put(path, place);
    if (poweredOn) {
      context.execute(this::slotChanged);
    }
    return place;
  }

  @Override
  public void deviceRemoved(String path) {
    PciAddress place = places.remove(path);
    if (place != null) {
      functions.remove(place.function());
      Optional.ofNullable(pins.remove(place.function())).ifPresent(pin -> pin.set(false));
      slotChanged();
    }
  }

  private void slotChanged() {
    pci.setPresent(!functions.isEmpty(), true);
  }

  // ---- interrupts: turned by the device number, as at any bridge ----

  @Override
  public IntxRouting interrupts() {
    return this;
  }

  private static int turned(int device, int pin) {
    return (pin - 1 + device) % PINS + 1;
  }

  @Override
  public InterruptLine connect(PciAddress function, int pin) {
    InterruptLine line = upstream.connect(pci.address(), turned(function.device(), pin));
    pins.put(function.function(), line);
    return line;
  }

  @Override
  public int globalInterrupt(int device, int pin) {
    return upstream.globalInterrupt(pci.address().device(), turned(device, pin));
  }

  // ---- state ----

  @Override
  public void reset() {
    poweredOn = true;
    pci.reset();
    pci.setPresent(!functions.isEmpty(), false);
  }

  @Override
  public RootPortState save() {
    return new RootPortState(pci.save());
  }

  @Override
  public void restore(RootPortState state) {
    pci.restore(state.pci());
    pci.setPresent(!functions.isEmpty(), false);
  }
}
