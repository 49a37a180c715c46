/** The 8042 keyboard controller with a PS/2 keyboard. */
@NullMarked
package io.vmm4j.devices.i8042;

import org.jspecify.annotations.NullMarked;
