/** The MC146818 real-time clock with its CMOS memory. */
@NullMarked
package io.vmm4j.devices.rtc;

import org.jspecify.annotations.NullMarked;
