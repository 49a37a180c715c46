/** Balloons of the virtio kind (virtio 1.2, 5.5): memory that the guest gives back. */
@NullMarked
package io.vmm4j.devices.virtioballoon;

import org.jspecify.annotations.NullMarked;
