package io.vmm4j.devices.pci;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code pci-host-bridge} devices. */
public final class HostBridgeFactory implements DeviceFactory<HostBridgeConfig, HostBridgeState> {
  private static final RecordSchema<HostBridgeConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), HostBridgeConfig.class)
          .defaults(HostBridgeConfig.DEFAULT)
          .build();
  private static final RecordSchema<HostBridgeState> STATE =
      RecordSchema.of(MethodHandles.lookup(), HostBridgeState.class);

  /** For {@link java.util.ServiceLoader}. */
  public HostBridgeFactory() {}

  @Override
  public String type() {
    return HostBridgeConfig.TYPE;
  }

  @Override
  public String summary() {
    return "PCI Express host bridge as Q35, and the bus for devices below its path";
  }

  @Override
  public RecordSchema<HostBridgeConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<HostBridgeState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<HostBridgeState> create(HostBridgeConfig config, DeviceContext context) {
    return new HostBridge(config, context);
  }
}
