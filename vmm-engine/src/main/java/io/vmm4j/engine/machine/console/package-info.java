/** The host's end of guest consoles. */
@NullMarked
package io.vmm4j.engine.machine.console;

import org.jspecify.annotations.NullMarked;
