/** ACPI fixed hardware: power management timer, soft-off and reset. */
@NullMarked
package io.vmm4j.devices.acpipm;

import org.jspecify.annotations.NullMarked;
