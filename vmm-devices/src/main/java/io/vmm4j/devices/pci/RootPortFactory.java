package io.vmm4j.devices.pci;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code pci-root-port} devices. */
public final class RootPortFactory implements DeviceFactory<RootPortConfig, RootPortState> {
  private static final RecordSchema<RootPortConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), RootPortConfig.class)
          .defaults(RootPortConfig.DEFAULT)
          .build();
  private static final RecordSchema<RootPortState> STATE =
      RecordSchema.of(MethodHandles.lookup(), RootPortState.class);

  /** For {@link java.util.ServiceLoader}. */
  public RootPortFactory() {}

  @Override
  public String type() {
    return RootPortConfig.TYPE;
  }

  @Override
  public String summary() {
    return "PCI Express root port with a slot for hot plug";
  }

  @Override
  public RecordSchema<RootPortConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<RootPortState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<RootPortState> create(RootPortConfig config, DeviceContext context) {
    return new RootPort(config, context);
  }
}
