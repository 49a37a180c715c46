package io.vmm4j.devices.pci;

import io.vmm4j.api.pci.PciFunctionState;

/**
 * State of a root port. What is in its slot is told by the machine's devices.
 *
 * @param pci of its function
 */
public record RootPortState(PciFunctionState pci) {}
