/** The device that kvm-unit-tests drive: interrupt lines, a port and a window that remember. */
@NullMarked
package io.vmm4j.devices.pctestdev;

import org.jspecify.annotations.NullMarked;
