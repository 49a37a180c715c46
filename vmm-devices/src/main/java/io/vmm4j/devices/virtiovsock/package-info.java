/** Virtio sockets (virtio 1.2, 5.10): streams between programs of the guest and of the host. */
@NullMarked
package io.vmm4j.devices.virtiovsock;

import org.jspecify.annotations.NullMarked;
