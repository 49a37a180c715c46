package io.vmm4j.devices.virtionet;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-net} devices. */
public final class VirtioNetFactory implements DeviceFactory<VirtioNetConfig, VirtioNetState> {
  private static final RecordSchema<VirtioNetConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioNetConfig.class)
          .defaults(VirtioNetConfig.DEFAULT)
          .build();
  private static final RecordSchema<VirtioNetState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioNetState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioNetFactory() {}

  @Override
  public String type() {
    return VirtioNetConfig.TYPE;
  }

  @Override
  public String summary() {
    return "network card: virtio network device over PCI";
  }

  @Override
  public RecordSchema<VirtioNetConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioNetState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioNetState> create(VirtioNetConfig config, DeviceContext context) {
    return new VirtioNet(config, context);
  }
}
