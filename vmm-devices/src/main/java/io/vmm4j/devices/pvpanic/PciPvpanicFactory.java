package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code pvpanic-pci} devices. */
public final class PciPvpanicFactory implements DeviceFactory<PciPvpanicConfig, PciPvpanicState> {
  private static final RecordSchema<PciPvpanicConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), PciPvpanicConfig.class)
          .defaults(PciPvpanicConfig.DEFAULT)
          .build();
  private static final RecordSchema<PciPvpanicState> STATE =
      RecordSchema.of(MethodHandles.lookup(), PciPvpanicState.class);

  /** For {@link java.util.ServiceLoader}. */
  public PciPvpanicFactory() {}

  @Override
  public String type() {
    return PciPvpanicConfig.TYPE;
  }

  @Override
  public String summary() {
    return "port that ends the machine with a code, as QEMU's isa-pvpanic-pci";
  }

  @Override
  public RecordSchema<PciPvpanicConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<PciPvpanicState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<PciPvpanicState> create(PciPvpanicConfig config, DeviceContext context) {
    return new PciPvpanic(context);
  }
}
