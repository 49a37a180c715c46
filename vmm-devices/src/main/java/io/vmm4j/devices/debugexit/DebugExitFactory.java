package io.vmm4j.devices.debugexit;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code debug-exit} devices. */
public final class DebugExitFactory implements DeviceFactory<DebugExitConfig, DebugExitState> {
  private static final RecordSchema<DebugExitConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), DebugExitConfig.class)
          .defaults(DebugExitConfig.DEFAULT)
          .build();
  private static final RecordSchema<DebugExitState> STATE =
      RecordSchema.of(MethodHandles.lookup(), DebugExitState.class);

  /** For {@link java.util.ServiceLoader}. */
  public DebugExitFactory() {}

  @Override
  public String type() {
    return DebugExitConfig.TYPE;
  }

  @Override
  public String summary() {
    return "port that ends the machine with a code, as QEMU's isa-debug-exit";
  }

  @Override
  public RecordSchema<DebugExitConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<DebugExitState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<DebugExitState> create(DebugExitConfig config, DeviceContext context) {
    return new DebugExit(config, context);
  }
}
