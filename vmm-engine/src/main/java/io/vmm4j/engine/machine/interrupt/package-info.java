/** Interrupt lines, the INTR pin and interrupt messages. */
@NullMarked
package io.vmm4j.engine.machine.interrupt;

import org.jspecify.annotations.NullMarked;
