package io.vmm4j.devices.pcitest;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code pci-test} devices. */
public final class PciTestFactory implements DeviceFactory<PciTestConfig, PciTestState> {
  private static final RecordSchema<PciTestConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), PciTestConfig.class)
          .defaults(PciTestConfig.DEFAULT)
          .build();
  private static final RecordSchema<PciTestState> STATE =
      RecordSchema.of(MethodHandles.lookup(), PciTestState.class);

  /** For {@link java.util.ServiceLoader}. */
  public PciTestFactory() {}

  @Override
  public String type() {
    return PciTestConfig.TYPE;
  }

  @Override
  public String summary() {
    return "PCI function with BARs of all kinds, for tests of the bus";
  }

  @Override
  public RecordSchema<PciTestConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<PciTestState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<PciTestState> create(PciTestConfig config, DeviceContext context) {
    return new PciTest(config, context);
  }
}
