/** How a guest says that its kernel has panicked: pvpanic, at a port or on the PCI bus. */
@NullMarked
package io.vmm4j.devices.pvpanic;

import org.jspecify.annotations.NullMarked;
