package io.vmm4j.devices.virtioballoon;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-balloon} devices. */
public final class VirtioBalloonFactory
    implements DeviceFactory<VirtioBalloonConfig, VirtioBalloonState> {
  private static final RecordSchema<VirtioBalloonConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioBalloonConfig.class)
          .defaults(VirtioBalloonConfig.DEFAULT)
          .build();
  private static final RecordSchema<VirtioBalloonState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioBalloonState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioBalloonFactory() {}

  @Override
  public String type() {
    return VirtioBalloonConfig.TYPE;
  }

  @Override
  public String summary() {
    return "gives memory of the guest back: virtio balloon device over PCI";
  }

  @Override
  public RecordSchema<VirtioBalloonConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioBalloonState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioBalloonState> create(VirtioBalloonConfig config, DeviceContext context) {
    return new VirtioBalloon(config, context);
  }
}
