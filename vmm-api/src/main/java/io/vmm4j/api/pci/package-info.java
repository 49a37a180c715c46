/** PCI Express for device models: what a function is, and what it asks of its bus. */
@NullMarked
package io.vmm4j.api.pci;

import org.jspecify.annotations.NullMarked;
