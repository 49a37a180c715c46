/** The high precision event timer. */
@NullMarked
package io.vmm4j.devices.hpet;

import org.jspecify.annotations.NullMarked;
