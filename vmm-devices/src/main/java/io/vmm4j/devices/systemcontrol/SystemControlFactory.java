package io.vmm4j.devices.systemcontrol;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code system-control} devices. */
public final class SystemControlFactory
    implements DeviceFactory<SystemControlConfig, SystemControlState> {
  private static final RecordSchema<SystemControlConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), SystemControlConfig.class)
          .defaults(SystemControlConfig.DEFAULT)
          .build();
  private static final RecordSchema<SystemControlState> STATE =
      RecordSchema.of(MethodHandles.lookup(), SystemControlState.class);

  /** For {@link java.util.ServiceLoader}. */
  public SystemControlFactory() {}

  @Override
  public String type() {
    return SystemControlConfig.TYPE;
  }

  @Override
  public String summary() {
    return "port that ends the machine with a code, as QEMU's isa-system-control";
  }

  @Override
  public RecordSchema<SystemControlConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<SystemControlState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<SystemControlState> create(SystemControlConfig config, DeviceContext context) {
    return new SystemControl(config, context);
  }
}
