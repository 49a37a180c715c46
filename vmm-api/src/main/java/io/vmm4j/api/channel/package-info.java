/**
 * Streams of bytes between programs of the host and programs of a guest: TCP connections,
 * connections of virtio sockets, and ports of virtio consoles.
 */
@NullMarked
package io.vmm4j.api.channel;

import org.jspecify.annotations.NullMarked;
