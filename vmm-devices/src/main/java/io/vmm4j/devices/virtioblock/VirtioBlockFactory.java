package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-blk} devices. */
public final class VirtioBlockFactory
    implements DeviceFactory<VirtioBlockConfig, VirtioBlockState> {
  private static final RecordSchema<VirtioBlockConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioBlockConfig.class)
          .defaults(VirtioBlockConfig.DEFAULT)
          .build();
  private static final RecordSchema<VirtioBlockState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioBlockState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioBlockFactory() {}

  @Override
  public String type() {
    return VirtioBlockConfig.TYPE;
  }

  @Override
  public String summary() {
    return "disk: virtio block device over PCI";
  }

  @Override
  public RecordSchema<VirtioBlockConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioBlockState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioBlockState> create(VirtioBlockConfig config, DeviceContext context) {
    return new VirtioBlock(config, context);
  }
}
