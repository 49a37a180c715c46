/** Port I/O and MMIO dispatch. */
@NullMarked
package io.vmm4j.engine.machine.bus;

import org.jspecify.annotations.NullMarked;
