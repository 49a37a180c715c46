package io.vmm4j.devices.i8042;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code i8042} devices. */
public final class I8042Factory implements DeviceFactory<I8042Config, I8042State> {
  private static final RecordSchema<I8042Config> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), I8042Config.class)
          .defaults(I8042Config.DEFAULT)
          .build();
  private static final RecordSchema<I8042State> STATE =
      RecordSchema.of(MethodHandles.lookup(), I8042State.class);

  /** For {@link java.util.ServiceLoader}. */
  public I8042Factory() {}

  @Override
  public String type() {
    return I8042Config.TYPE;
  }

  @Override
  public String summary() {
    return "8042 keyboard controller with a PS/2 keyboard";
  }

  @Override
  public RecordSchema<I8042Config> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<I8042State> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<I8042State> create(I8042Config config, DeviceContext context) {
    return new I8042(config, context);
  }
}
