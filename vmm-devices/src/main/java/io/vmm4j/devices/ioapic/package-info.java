/** The 82093AA I/O APIC. */
@NullMarked
package io.vmm4j.devices.ioapic;

import org.jspecify.annotations.NullMarked;
