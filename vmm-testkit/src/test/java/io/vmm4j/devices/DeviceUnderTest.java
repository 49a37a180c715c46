package io.vmm4j.devices;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.testkit.TestMachine;

/** A device in a machine under a test's control. */
public final class DeviceUnderTest {
  private DeviceUnderTest() {}

  /** A machine with RAM and one device, whose path is its type. */
  public static <C extends Record & DeviceConfig> TestMachine machineWith(
      DeviceFactory<C, ?> factory, C config) {
    return TestMachine.builder().device(factory.type(), factory, config).build();
  }
}
