package io.vmm4j.api.device;

/**
 * What a bus of any kind hears from its machine: implemented by what {@link DeviceContext#offerBus}
 * is given.
 */
public interface DeviceBus {

  /**
   * A device that had asked for this bus is gone ({@link io.vmm4j.api.Vm#detach}): whatever it has
   * connected is not to be called any more. With the machine lock held.
   */
  void deviceRemoved(String path);
}
