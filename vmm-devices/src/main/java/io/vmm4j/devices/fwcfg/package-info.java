/** Tells firmware what the machine is made of. */
@NullMarked
package io.vmm4j.devices.fwcfg;

import org.jspecify.annotations.NullMarked;
