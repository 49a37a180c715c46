package io.vmm4j.devices.acpipm;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code acpi-pm} devices. */
public final class AcpiPmFactory implements DeviceFactory<AcpiPmConfig, AcpiPmState> {
  private static final RecordSchema<AcpiPmConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), AcpiPmConfig.class)
          .defaults(AcpiPmConfig.DEFAULT)
          .build();
  private static final RecordSchema<AcpiPmState> STATE =
      RecordSchema.of(MethodHandles.lookup(), AcpiPmState.class);

  /** For {@link java.util.ServiceLoader}. */
  public AcpiPmFactory() {}

  @Override
  public String type() {
    return AcpiPmConfig.TYPE;
  }

  @Override
  public String summary() {
    return "ACPI power management timer, soft-off and reset register";
  }

  @Override
  public RecordSchema<AcpiPmConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<AcpiPmState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<AcpiPmState> create(AcpiPmConfig config, DeviceContext context) {
    return new AcpiPm(config, context);
  }
}
