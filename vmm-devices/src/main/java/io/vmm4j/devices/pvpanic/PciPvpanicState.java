package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.pci.PciFunctionState;

/**
 * State of pvpanic on the PCI bus.
 *
 * @param pci of the function
 */
public record PciPvpanicState(PciFunctionState pci) {}
