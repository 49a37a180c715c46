package io.vmm4j.devices.virtiorng;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-rng} devices. */
public final class VirtioRngFactory implements DeviceFactory<VirtioRngConfig, VirtioRngState> {
  private static final RecordSchema<VirtioRngConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioRngConfig.class)
          .defaults(VirtioRngConfig.DEFAULT)
          .build();
  private static final RecordSchema<VirtioRngState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioRngState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioRngFactory() {}

  @Override
  public String type() {
    return VirtioRngConfig.TYPE;
  }

  @Override
  public String summary() {
    return "source of entropy: virtio entropy device over PCI";
  }

  @Override
  public RecordSchema<VirtioRngConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioRngState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioRngState> create(VirtioRngConfig config, DeviceContext context) {
    return new VirtioRng(config, context);
  }
}
