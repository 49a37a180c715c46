package io.vmm4j.testkit.planted;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

final class AlarmClockFactory implements DeviceFactory<AlarmClockConfig, AlarmClockState> {
  @Override
  public String type() {
    return "alarm-clock";
  }

  @Override
  public String summary() {
    return "has faults on demand";
  }

  @Override
  public RecordSchema<AlarmClockConfig> configSchema() {
    return RecordSchema.builder(MethodHandles.lookup(), AlarmClockConfig.class)
        .defaults(new AlarmClockConfig(0))
        .build();
  }

  @Override
  public RecordSchema<AlarmClockState> stateSchema() {
    return RecordSchema.of(MethodHandles.lookup(), AlarmClockState.class);
  }

  @Override
  public DeviceModel<AlarmClockState> create(AlarmClockConfig config, DeviceContext context) {
    return new AlarmClock(config, context);
  }
}
