package io.vmm4j.devices.pic;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code i8259-pic} devices. */
public final class PicFactory implements DeviceFactory<PicConfig, PicState> {
  private static final RecordSchema<PicConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), PicConfig.class)
          .defaults(PicConfig.DEFAULT)
          .build();
  private static final RecordSchema<PicState> STATE =
      RecordSchema.of(MethodHandles.lookup(), PicState.class);

  /** For {@link java.util.ServiceLoader}. */
  public PicFactory() {}

  @Override
  public String type() {
    return PicConfig.TYPE;
  }

  @Override
  public String summary() {
    return "two cascaded 8259A interrupt controllers, IRQ 0 to 15";
  }

  @Override
  public RecordSchema<PicConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<PicState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<PicState> create(PicConfig config, DeviceContext context) {
    return new Pic(config, context);
  }
}
