package io.vmm4j.devices.testwindow;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/** Makes {@code test-window} devices. */
public final class TestWindowFactory implements DeviceFactory<TestWindowConfig, TestWindowState> {
  private static final RecordSchema<TestWindowConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), TestWindowConfig.class)
          .defaults(TestWindowConfig.DEFAULT)
          .build();
  private static final RecordSchema<TestWindowState> STATE =
      RecordSchema.of(MethodHandles.lookup(), TestWindowState.class);

  /** For {@link java.util.ServiceLoader}. */
  public TestWindowFactory() {}

  @Override
  public String type() {
    return TestWindowConfig.TYPE;
  }

  @Override
  public String summary() {
    return "device memory window that its guest moves";
  }

  @Override
  public RecordSchema<TestWindowConfig> configSchema() {
    return CONFIG;
  }

  @Override
  public RecordSchema<TestWindowState> stateSchema() {
    return STATE;
  }

  @Override
  public DeviceModel<TestWindowState> create(TestWindowConfig config, DeviceContext context) {
    return new TestWindow(config, context);
  }
}
