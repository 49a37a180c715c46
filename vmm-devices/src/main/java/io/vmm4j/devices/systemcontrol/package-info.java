/** System control port A of a PC, at 0x92: fast reset and the gate of address line 20. */
@NullMarked
package io.vmm4j.devices.systemcontrol;

import org.jspecify.annotations.NullMarked;
