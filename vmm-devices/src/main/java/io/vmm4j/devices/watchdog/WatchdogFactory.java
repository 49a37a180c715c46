package io.vmm4j.devices.watchdog;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code i6300esb} devices. */
public final class WatchdogFactory implements DeviceFactory<WatchdogConfig, WatchdogState> {
  private static final RecordSchema<WatchdogConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), WatchdogConfig.class)
          .defaults(WatchdogConfig.DEFAULT)
          .build();
  private static final RecordSchema<WatchdogState> STATE =
      RecordSchema.of(MethodHandles.lookup(), WatchdogState.class);

  /** For {@link java.util.ServiceLoader}. */
  public WatchdogFactory() {}

  @Override
  public String type() {
    return WatchdogConfig.TYPE;
  }

  @Override
  public String summary() {
    return "port that ends the machine with a code, as QEMU's isa-i6300esb";
  }

  @Override
  public RecordSchema<WatchdogConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<WatchdogState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<WatchdogState> create(WatchdogConfig config, DeviceContext context) {
    return new Watchdog(config, context);
  }
}
