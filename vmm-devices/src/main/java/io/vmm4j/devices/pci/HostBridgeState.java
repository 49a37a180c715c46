package io.vmm4j.devices.pci;

import io.vmm4j.api.pci.PciFunctionState;

/**
 * State of the host bridge.
 *
 * @param address the register at port 0xCF8
 * @param bridge function 00:00.0
 * @param isa function 00:1f.0
 */
public record HostBridgeState(int address, PciFunctionState bridge, PciFunctionState isa) {}
