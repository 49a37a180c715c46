/** A disk of the virtio kind (virtio 1.2, 5.2). */
@NullMarked
package io.vmm4j.devices.virtioblock;

import org.jspecify.annotations.NullMarked;
