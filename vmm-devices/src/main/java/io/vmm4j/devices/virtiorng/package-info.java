/** A source of entropy of the virtio kind (virtio 1.2, 5.4). */
@NullMarked
package io.vmm4j.devices.virtiorng;

import org.jspecify.annotations.NullMarked;
