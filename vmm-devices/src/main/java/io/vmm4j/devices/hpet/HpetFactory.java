package io.vmm4j.devices.hpet;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code hpet} devices. */
public final class HpetFactory implements DeviceFactory<HpetConfig, HpetState> {
  private static final RecordSchema<HpetConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), HpetConfig.class)
          .defaults(HpetConfig.DEFAULT)
          .build();
  private static final RecordSchema<HpetState> STATE =
      RecordSchema.of(MethodHandles.lookup(), HpetState.class);

  /** For {@link java.util.ServiceLoader}. */
  public HpetFactory() {}

  @Override
  public String type() {
    return HpetConfig.TYPE;
  }

  @Override
  public String summary() {
    return "high precision event timer";
  }

  @Override
  public RecordSchema<HpetConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<HpetState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<HpetState> create(HpetConfig config, DeviceContext context) {
    return new Hpet(config, context);
  }
}
