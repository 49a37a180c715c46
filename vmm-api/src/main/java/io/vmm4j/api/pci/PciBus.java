package io.vmm4j.api.pci;

import io.vmm4j.api.device.DeviceBus;

/**
 * A PCI bus, which its functions find above their paths: {@code context.bus(PciBus.class)}. With
 * the machine lock held.
 */
public interface PciBus extends DeviceBus {

  /**
   * Puts a function where its path says.
   *
   * @param path of the device, which ends with a {@link PciAddress}
   * @return where it is
   * @throws io.vmm4j.api.DeviceException if the path has no place on this bus, or it is taken
   */
  PciAddress connect(String path, ConfigSpace space);

  /** Where interrupt pins lead. */
  IntxRouting interrupts();
}
