/** Virtio sockets of a machine as UNIX-domain sockets of the host. */
@NullMarked
package io.vmm4j.vsock;

import org.jspecify.annotations.NullMarked;
