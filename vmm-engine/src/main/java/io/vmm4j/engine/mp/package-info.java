/** The MP table, by which guests without ACPI find processors and interrupts. */
@NullMarked
package io.vmm4j.engine.mp;

import org.jspecify.annotations.NullMarked;
