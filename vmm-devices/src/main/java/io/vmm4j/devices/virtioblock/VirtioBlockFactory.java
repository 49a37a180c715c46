package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.devices.block.BlockRuns;
import java.lang.invoke.MethodHandles;
import java.util.List;

/** Makes {@code virtio-blk} devices. */
public final class VirtioBlockFactory
    implements DeviceFactory<VirtioBlockConfig, VirtioBlockState> {
  private static final RecordSchema<VirtioBlockConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioBlockConfig.class)
          .version(2)
          .defaults(VirtioBlockConfig.DEFAULT)
          // Version 1 had raw files only.
          .upgrade(1, fields -> fields.with("format", "RAW"))
          .build();
  private static final RecordSchema<VirtioBlockState> STATE =
      RecordSchema.builder(MethodHandles.lookup(), VirtioBlockState.class)
          .version(2)
          // Version 1 does not say which files they were, and disks did not grow. The overlay was a
          // list of numbers of 8 bytes.
          .upgrade(1, VirtioBlockFactory::upgrade1)
          .build();

  private static FieldMap upgrade1(FieldMap fields) {
    byte[] numbers = (byte[]) fields.get("overlay");
    return fields
        .with("files", List.of())
        .with("baseBytes", fields.get("diskBytes"))
        .with("overlay", BlockRuns.encodeNumbers(numbers));
  }

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
  public long sparseMemoryBytes(VirtioBlockConfig config) {
    return VirtioBlock.overlayBytes(config);
  }

  @Override
  public DeviceModel<VirtioBlockState> create(VirtioBlockConfig config, DeviceContext context) {
    return new VirtioBlock(config, context);
  }
}
