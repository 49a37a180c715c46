/** A one-port console for early output. */
@NullMarked
package io.vmm4j.devices.debugcon;

import org.jspecify.annotations.NullMarked;
