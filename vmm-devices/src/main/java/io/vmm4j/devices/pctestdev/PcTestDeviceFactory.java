package io.vmm4j.devices.pctestdev;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code pc-testdev} devices. */
public final class PcTestDeviceFactory
    implements DeviceFactory<PcTestDeviceConfig, PcTestDeviceState> {
  private static final RecordSchema<PcTestDeviceConfig> CONFIG =
      RecordSchema.of(MethodHandles.lookup(), PcTestDeviceConfig.class);
  private static final RecordSchema<PcTestDeviceState> STATE =
      RecordSchema.builder(MethodHandles.lookup(), PcTestDeviceState.class)
          .version(2)
          .upgrade(1, PcTestDeviceState::fromVersion1)
          .build();

  /** For {@link java.util.ServiceLoader}. */
  public PcTestDeviceFactory() {}

  @Override
  public String type() {
    return PcTestDeviceConfig.TYPE;
  }

  @Override
  public String summary() {
    return "interrupt lines, a port and a window for kvm-unit-tests, as QEMU's pc-testdev";
  }

  @Override
  public RecordSchema<PcTestDeviceConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<PcTestDeviceState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<PcTestDeviceState> create(PcTestDeviceConfig config, DeviceContext context) {
    return new PcTestDevice(context);
  }
}
