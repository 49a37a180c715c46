/**
 * What all virtio devices have in common: the transport over PCI and the queues (virtio 1.2). The
 * devices themselves are in packages of their own.
 */
@NullMarked
package io.vmm4j.devices.virtio;

import org.jspecify.annotations.NullMarked;
