package io.vmm4j.devices.vmgenid;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code vmgenid} devices. */
public final class VmGenerationIdFactory
    implements DeviceFactory<VmGenerationIdConfig, VmGenerationIdState> {
  private static final RecordSchema<VmGenerationIdConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VmGenerationIdConfig.class)
          .defaults(VmGenerationIdConfig.DEFAULT)
          .build();
  private static final RecordSchema<VmGenerationIdState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VmGenerationIdState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VmGenerationIdFactory() {}

  @Override
  public String type() {
    return VmGenerationIdConfig.TYPE;
  }

  @Override
  public String summary() {
    return "VM generation id: tells a guest that it has become a clone";
  }

  @Override
  public RecordSchema<VmGenerationIdConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VmGenerationIdState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VmGenerationIdState> create(
      VmGenerationIdConfig config, DeviceContext context) {
    return new VmGenerationId(config, context);
  }
}
