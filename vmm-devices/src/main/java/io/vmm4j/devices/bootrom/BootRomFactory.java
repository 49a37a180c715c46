package io.vmm4j.devices.bootrom;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code bootrom} devices. */
public final class BootRomFactory implements DeviceFactory<BootRomConfig, BootRomState> {
  private static final RecordSchema<BootRomConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), BootRomConfig.class)
          .version(2)
          .defaults(BootRomConfig.DEFAULT)
          .upgrade(1, config -> config.with("shadow", false)) // there was none
          .build();
  private static final RecordSchema<BootRomState> STATE =
      RecordSchema.of(MethodHandles.lookup(), BootRomState.class);

  /** For {@link java.util.ServiceLoader}. */
  public BootRomFactory() {}

  @Override
  public String type() {
    return BootRomConfig.TYPE;
  }

  @Override
  public String summary() {
    return "firmware image that ends at 4 GiB, with its end under 1 MiB";
  }

  @Override
  public RecordSchema<BootRomConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<BootRomState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<BootRomState> create(BootRomConfig config, DeviceContext context) {
    return new BootRom(config, context);
  }
}
