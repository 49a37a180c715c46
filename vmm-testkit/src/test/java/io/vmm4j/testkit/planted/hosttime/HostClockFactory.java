package io.vmm4j.testkit.planted.hosttime;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes clocks that show the host's time. */
public final class HostClockFactory
    implements DeviceFactory<HostClockFactory.Config, HostClockFactory.State> {

  /** Nothing to choose. */
  public record Config() implements DeviceConfig {
    @Override
    public String deviceType() {
      return "host-clock";
    }
  }

  /** The hour that was shown last. */
  public record State(long hour) {}

  @Override
  public String type() {
    return "host-clock";
  }

  @Override
  public String summary() {
    return "shows the host's time";
  }

  @Override
  public RecordSchema<Config> configSchema() {
    return RecordSchema.builder(MethodHandles.lookup(), Config.class)
        .defaults(new Config())
        .build();
  }

  @Override
  public RecordSchema<State> stateSchema() {
    return RecordSchema.of(MethodHandles.lookup(), State.class);
  }

  @Override
  public DeviceModel<State> create(Config config, DeviceContext context) {
    return new HostClock(context);
  }
}
