package io.vmm4j.devices;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.devices.contract.FakeDeviceContext;

/** A device that was attached and reset in a fake machine. */
public final class DeviceUnderTest {
  private DeviceUnderTest() {}

  /** A fake machine with RAM and one device. */
  public static <C extends Record & DeviceConfig, S extends Record> FakeDeviceContext machineWith(
      DeviceFactory<C, S> factory, C config) {
    FakeDeviceContext machine = new FakeDeviceContext(factory.type());
    DeviceModel<S> device = factory.create(config, machine);
    device.reset();
    return machine;
  }
}
