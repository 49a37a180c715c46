/** The 8254 interval timer and system control port B. */
@NullMarked
package io.vmm4j.devices.pit;

import org.jspecify.annotations.NullMarked;
