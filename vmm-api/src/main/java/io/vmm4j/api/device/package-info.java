/** The device-model SPI: everything a device author needs, and all that built-in devices use. */
@NullMarked
package io.vmm4j.api.device;

import org.jspecify.annotations.NullMarked;
