/** The local APIC of the software processor. */
@NullMarked
package io.vmm4j.software.apic;

import org.jspecify.annotations.NullMarked;
