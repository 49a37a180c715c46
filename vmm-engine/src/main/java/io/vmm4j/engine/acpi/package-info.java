/** ACPI tables, built from what devices say about themselves. */
@NullMarked
package io.vmm4j.engine.acpi;

import org.jspecify.annotations.NullMarked;
