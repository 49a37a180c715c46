package io.vmm4j.devices.virtio;

import io.vmm4j.api.pci.PciFunctionState;
import java.util.List;

/**
 * State of the transport of a virtio device.
 *
 * @param pci of the PCI function
 * @param status the device's status
 * @param driverFeatures what the driver has accepted
 * @param deviceFeatureSelect which word of the device's features is seen
 * @param driverFeatureSelect which word of the driver's features is seen
 * @param queueSelect which queue is seen
 * @param configurationVector the message for changes of the configuration, 65535 for none
 * @param generation of the configuration
 * @param interruptStatus bit 0: a queue; bit 1: the configuration
 * @param queues the queues
 */
public record VirtioState(
    PciFunctionState pci,
    int status,
    long driverFeatures,
    int deviceFeatureSelect,
    int driverFeatureSelect,
    int queueSelect,
    int configurationVector,
    int generation,
    int interruptStatus,
    List<Queue> queues) {

  /**
   * State of a queue.
   *
   * @param size its size in descriptors
   * @param vector its message, 65535 for none
   * @param enabled whether it is used
   * @param descriptors where the descriptors lie
   * @param driver where the driver's area lies
   * @param device where the device's area lies
   * @param position how far the device has come
   */
  public record Queue(
      int size,
      int vector,
      boolean enabled,
      long descriptors,
      long driver,
      long device,
      QueuePosition position) {}
}
