/** The PCI host bridge and its bus. */
@NullMarked
package io.vmm4j.devices.pci;

import org.jspecify.annotations.NullMarked;
