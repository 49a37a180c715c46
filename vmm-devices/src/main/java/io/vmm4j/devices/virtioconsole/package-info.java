/** Consoles of the virtio kind, with named ports (virtio 1.2, 5.3). */
@NullMarked
package io.vmm4j.devices.virtioconsole;

import org.jspecify.annotations.NullMarked;
