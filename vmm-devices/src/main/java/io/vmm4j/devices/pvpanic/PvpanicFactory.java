package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code pvpanic} devices. */
public final class PvpanicFactory implements DeviceFactory<PvpanicConfig, PvpanicState> {
  private static final RecordSchema<PvpanicConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), PvpanicConfig.class)
          .defaults(PvpanicConfig.DEFAULT)
          .build();
  private static final RecordSchema<PvpanicState> STATE =
      RecordSchema.of(MethodHandles.lookup(), PvpanicState.class);

  /** For {@link java.util.ServiceLoader}. */
  public PvpanicFactory() {}

  @Override
  public String type() {
    return PvpanicConfig.TYPE;
  }

  @Override
  public String summary() {
    return "port that ends the machine with a code, as QEMU's isa-pvpanic";
  }

  @Override
  public RecordSchema<PvpanicConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<PvpanicState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<PvpanicState> create(PvpanicConfig config, DeviceContext context) {
    return new Pvpanic(config, context);
  }
}
