package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-vsock} devices. */
public final class VirtioVsockFactory
    implements DeviceFactory<VirtioVsockConfig, VirtioVsockState> {
  private static final RecordSchema<VirtioVsockConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioVsockConfig.class)
          .defaults(VirtioVsockConfig.DEFAULT)
          .build();
  private static final RecordSchema<VirtioVsockState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioVsockState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioVsockFactory() {}

  @Override
  public String type() {
    return VirtioVsockConfig.TYPE;
  }

  @Override
  public String summary() {
    return "sockets between guest and host: virtio socket device over PCI";
  }

  @Override
  public RecordSchema<VirtioVsockConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioVsockState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioVsockState> create(VirtioVsockConfig config, DeviceContext context) {
    return new VirtioVsock(config, context);
  }
}
