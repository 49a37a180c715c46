package io.vmm4j.devices.virtioinput;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-input} devices. */
public final class VirtioInputFactory
    implements DeviceFactory<VirtioInputConfig, VirtioInputState> {
  private static final RecordSchema<VirtioInputConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioInputConfig.class)
          .defaults(VirtioInputConfig.KEYBOARD)
          .build();
  private static final RecordSchema<VirtioInputState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioInputState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioInputFactory() {}

  @Override
  public String type() {
    return VirtioInputConfig.TYPE;
  }

  @Override
  public String summary() {
    return "keyboard or tablet: virtio input device over PCI";
  }

  @Override
  public RecordSchema<VirtioInputConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioInputState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioInputState> create(VirtioInputConfig config, DeviceContext context) {
    return new VirtioInput(config, context);
  }
}
