/** A server of the GDB remote serial protocol. */
@NullMarked
package io.vmm4j.gdb;

import org.jspecify.annotations.NullMarked;
