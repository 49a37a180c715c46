package io.vmm4j.api.device;

/**
 * What a bus of any kind hears from its machine: implemented by what {@link DeviceContext#offerBus}
 * is given.
 */
public interface DeviceBus {

  /**
   * A device below is gone ({@link io.vmm4j.api.Vm#detach}), or could not be made: whatever it has
   * connected, if it has, is not to be called any more, and drives no line. With the machine lock
   * held.
   */
  void deviceRemoved(String path);
}
