package io.vmm4j.devices.virtioconsole;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code virtio-console} devices. */
public final class VirtioConsoleFactory
    implements DeviceFactory<VirtioConsoleConfig, VirtioConsoleState> {
  private static final RecordSchema<VirtioConsoleConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), VirtioConsoleConfig.class)
          .defaults(VirtioConsoleConfig.DEFAULT)
          .build();
  private static final RecordSchema<VirtioConsoleState> STATE =
      RecordSchema.of(MethodHandles.lookup(), VirtioConsoleState.class);

  /** For {@link java.util.ServiceLoader}. */
  public VirtioConsoleFactory() {}

  @Override
  public String type() {
    return VirtioConsoleConfig.TYPE;
  }

  @Override
  public String summary() {
    return "console and named ports: virtio console device over PCI";
  }

  @Override
  public RecordSchema<VirtioConsoleConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<VirtioConsoleState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<VirtioConsoleState> create(VirtioConsoleConfig config, DeviceContext context) {
    return new VirtioConsole(config, context);
  }
}
