/** Keyboards and tablets of the virtio kind (virtio 1.2, 5.8). */
@NullMarked
package io.vmm4j.devices.virtioinput;

import org.jspecify.annotations.NullMarked;
