/** The 16550A serial port. */
@NullMarked
package io.vmm4j.devices.uart;

import org.jspecify.annotations.NullMarked;
