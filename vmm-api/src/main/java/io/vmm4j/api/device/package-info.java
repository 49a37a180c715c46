/** The device-model SPI, the same for built-in and user-written devices. */
@NullMarked
package io.vmm4j.api.device;

import org.jspecify.annotations.NullMarked;
