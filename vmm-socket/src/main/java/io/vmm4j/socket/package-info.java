/**
 * Files of UNIX-domain sockets, the transport that carries the bytes, and the thread that listens.
 */
@NullMarked
package io.vmm4j.socket;

import org.jspecify.annotations.NullMarked;
