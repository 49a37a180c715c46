/** The watchdog timer of the Intel 6300ESB, which Linux's i6300esb drives. */
@NullMarked
package io.vmm4j.devices.watchdog;

import org.jspecify.annotations.NullMarked;
