/** A port through which a guest ends its machine with a code. */
@NullMarked
package io.vmm4j.devices.debugexit;

import org.jspecify.annotations.NullMarked;
