package io.vmm4j.devices.fwcfg;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code fwcfg} devices. */
public final class FwCfgFactory implements DeviceFactory<FwCfgConfig, FwCfgState> {
  private static final RecordSchema<FwCfgConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), FwCfgConfig.class)
          .defaults(FwCfgConfig.DEFAULT)
          .build();
  private static final RecordSchema<FwCfgState> STATE =
      RecordSchema.of(MethodHandles.lookup(), FwCfgState.class);

  /** For {@link java.util.ServiceLoader}. */
  public FwCfgFactory() {}

  @Override
  public String type() {
    return FwCfgConfig.TYPE;
  }

  @Override
  public String summary() {
    return "facts about the machine for firmware, as QEMU's fw_cfg";
  }

  @Override
  public RecordSchema<FwCfgConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<FwCfgState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<FwCfgState> create(FwCfgConfig config, DeviceContext context) {
    return new FwCfg(config, context);
  }
}
