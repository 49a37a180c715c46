package io.vmm4j.devices.pit;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code i8254-pit} devices. */
public final class PitFactory implements DeviceFactory<PitConfig, PitState> {
  private static final RecordSchema<PitConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), PitConfig.class)
          .defaults(PitConfig.DEFAULT)
          .build();
  private static final RecordSchema<PitState> STATE =
      RecordSchema.of(MethodHandles.lookup(), PitState.class);

  /** For {@link java.util.ServiceLoader}. */
  public PitFactory() {}

  @Override
  public String type() {
    return PitConfig.TYPE;
  }

  @Override
  public String summary() {
    return "8254 interval timer, and port 0x61";
  }

  @Override
  public RecordSchema<PitConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<PitState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<PitState> create(PitConfig config, DeviceContext context) {
    return new Pit(config, context);
  }
}
