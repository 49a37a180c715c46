/** Reads packets and commands and writes replies, with neither machine nor socket. */
@NullMarked
package io.vmm4j.gdb.protocol;

import org.jspecify.annotations.NullMarked;
