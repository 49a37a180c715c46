/** Connections between programs of the host and of the guest by virtio sockets. */
@NullMarked
package io.vmm4j.api.vsock;

import org.jspecify.annotations.NullMarked;
