/** Does to a machine what a debugger asks, without a socket. */
@NullMarked
package io.vmm4j.gdb.stub;

import org.jspecify.annotations.NullMarked;
