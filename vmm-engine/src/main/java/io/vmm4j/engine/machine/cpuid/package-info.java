/** The processor model that guests see, as data. */
@NullMarked
package io.vmm4j.engine.machine.cpuid;

import org.jspecify.annotations.NullMarked;
