package io.vmm4j.devices.debugcon;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code debug-console} devices. */
public final class DebugConsoleFactory
    implements DeviceFactory<DebugConsoleConfig, DebugConsoleState> {
  private static final RecordSchema<DebugConsoleConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), DebugConsoleConfig.class)
          .defaults(DebugConsoleConfig.DEFAULT)
          .build();
  private static final RecordSchema<DebugConsoleState> STATE =
      RecordSchema.of(MethodHandles.lookup(), DebugConsoleState.class);

  /** For {@link java.util.ServiceLoader}. */
  public DebugConsoleFactory() {}

  @Override
  public String type() {
    return DebugConsoleConfig.TYPE;
  }

  @Override
  public String summary() {
    return "port 0xE9 console for early output";
  }

  @Override
  public RecordSchema<DebugConsoleConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<DebugConsoleState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<DebugConsoleState> create(DebugConsoleConfig config, DeviceContext context) {
    return new DebugConsole(config, context);
  }
}
