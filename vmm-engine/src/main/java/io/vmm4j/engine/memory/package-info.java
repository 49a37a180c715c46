/** The one sparse mapping of a machine and the guest physical memory map over it. */
@NullMarked
package io.vmm4j.engine.memory;

import org.jspecify.annotations.NullMarked;
