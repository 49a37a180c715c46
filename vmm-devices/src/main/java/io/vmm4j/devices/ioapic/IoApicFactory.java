package io.vmm4j.devices.ioapic;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code ioapic} devices. */
public final class IoApicFactory implements DeviceFactory<IoApicConfig, IoApicState> {
  private static final RecordSchema<IoApicConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), IoApicConfig.class)
          .defaults(IoApicConfig.DEFAULT)
          .build();
  private static final RecordSchema<IoApicState> STATE =
      RecordSchema.of(MethodHandles.lookup(), IoApicState.class);

  /** For {@link java.util.ServiceLoader}. */
  public IoApicFactory() {}

  @Override
  public String type() {
    return IoApicConfig.TYPE;
  }

  @Override
  public String summary() {
    return "82093AA I/O APIC with 24 pins";
  }

  @Override
  public RecordSchema<IoApicConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<IoApicState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<IoApicState> create(IoApicConfig config, DeviceContext context) {
    return new IoApic(config, context);
  }
}
