/** A PCI function for tests of the bus. */
@NullMarked
package io.vmm4j.devices.pcitest;

import org.jspecify.annotations.NullMarked;
