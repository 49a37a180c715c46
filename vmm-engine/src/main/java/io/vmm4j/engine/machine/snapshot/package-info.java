/** Capture and restore of whole machines. */
@NullMarked
package io.vmm4j.engine.machine.snapshot;

import org.jspecify.annotations.NullMarked;
