/** Network cards of the virtio kind (virtio 1.2, 5.1). */
@NullMarked
package io.vmm4j.devices.virtionet;

import org.jspecify.annotations.NullMarked;
