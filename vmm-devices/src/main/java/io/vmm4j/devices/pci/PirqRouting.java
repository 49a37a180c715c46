package io.vmm4j.devices.pci;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.pci.IntxRouting;
import io.vmm4j.api.pci.PciAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * The interrupt pins of the root bus (ICH9 datasheet, 5.8.6 and 13.1.16): pins are turned by the
 * device number onto PIRQA to PIRQD, which arrive at inputs 16 to 19 of the I/O APIC, and, where a
 * system without one has routed them so, at an ISA interrupt.
 */
final class PirqRouting implements IntxRouting {
  static final int PIRQS = 4;

  private static final int FIRST_INPUT = 16;
  private static final int ISA_LINES = 16;
  private static final int NOT_ROUTED = 0x80;

  private final InterruptLine[] inputs = new InterruptLine[PIRQS];
  private final InterruptLine[] isa = new InterruptLine[ISA_LINES];
  private final List<Pin> pins = new ArrayList<>();
  private final int[] asserting = new int[PIRQS];
  private final int[] routes = new int[PIRQS];

  PirqRouting(DeviceContext context) {
    for (int pirq = 0; pirq < PIRQS; pirq++) {
      inputs[pirq] = context.interruptLine(FIRST_INPUT + pirq);
      routes[pirq] = NOT_ROUTED;
    }
    for (int line = 0; line < ISA_LINES; line++) {
      isa[line] = context.interruptLine(line);
    }
  }

  private static int pirq(int device, int pin) {
    return device + pin - 1 & PIRQS - 1;
  }

  @Override
  public int globalInterrupt(int device, int pin) {
    return FIRST_INPUT + pirq(device, pin);
  }

  @Override
  public InterruptLine connect(PciAddress function, int pin) {
    Pin made = new Pin(function, pirq(function.device(), pin));
    pins.add(made);
    return made;
  }

  /** A function is gone: it drives nothing any more. */
  void disconnect(PciAddress function) {
    for (Pin pin : List.copyOf(pins)) {
      if (pin.function.equals(function)) {
        pin.set(false);
        pins.remove(pin);
      }
    }
  }

  /** Routes a PIRQ to the ISA interrupt of bits 0 to 3, or to none with bit 7. */
  void route(int pirq, int register) {
    routes[pirq] = register;
    drive();
  }

  private void drive() {
    int levels = 0;
    for (int pirq = 0; pirq < PIRQS; pirq++) {
      boolean asserted = asserting[pirq] > 0;
      inputs[pirq].set(asserted);
      if (asserted && (routes[pirq] & NOT_ROUTED) == 0 && isPossible(routes[pirq] & 0xF)) {
        levels |= 1 << (routes[pirq] & 0xF);
      }
    }
    for (int line = 0; line < ISA_LINES; line++) {
      isa[line].set((levels >> line & 1) != 0);
    }
  }

  /** Interrupts 0, 1, 2, 8 and 13 belong to the board. */
  private static boolean isPossible(int line) {
    return (0xDEF8 >> line & 1) != 0;
  }

  private final class Pin implements InterruptLine {
    private final PciAddress function;
    private final int pirq;
    private boolean asserted;

    Pin(PciAddress function, int pirq) {
      this.function = function;
      this.pirq = pirq;
    }

    @Override
    public void set(boolean level) {
      if (level != asserted) {
        asserted = level;
        asserting[pirq] += level ? 1 : -1;
        drive();
      }
    }
  }
}
