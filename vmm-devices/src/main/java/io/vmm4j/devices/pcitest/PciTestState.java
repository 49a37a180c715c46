package io.vmm4j.devices.pcitest;

import io.vmm4j.api.pci.PciFunctionState;

/**
 * State of the PCI function for tests. Its memory is the machine's.
 *
 * @param pci of the function
 * @param scratch the register that remembers
 */
public record PciTestState(PciFunctionState pci, int scratch) {}
