package io.vmm4j.api.pci;

import io.vmm4j.api.device.InterruptLine;

/** Where the interrupt pins INTA to INTD of a bus lead. With the machine lock held. */
public interface IntxRouting {

  /**
   * A function's drive of a pin.
   *
   * @param function whose
   * @param pin 1 for INTA to 4 for INTD
   */
  InterruptLine connect(PciAddress function, int pin);

  /**
   * The global system interrupt at which a pin arrives, for firmware tables.
   *
   * @param device 0 to 31
   * @param pin 1 for INTA to 4 for INTD
   */
  int globalInterrupt(int device, int pin);
}
