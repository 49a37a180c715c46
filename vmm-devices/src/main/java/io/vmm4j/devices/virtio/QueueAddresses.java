package io.vmm4j.devices.virtio;

/**
 * Where the parts of a queue lie in guest memory (virtio 1.2, 2.6): the descriptors, the driver's
 * area and the device's area.
 */
record QueueAddresses(long descriptors, long driver, long device) {}
