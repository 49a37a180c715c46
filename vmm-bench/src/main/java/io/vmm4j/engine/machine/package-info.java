/** A measurement that needs more of the engine than it shows. */
@NullMarked
package io.vmm4j.engine.machine;

import org.jspecify.annotations.NullMarked;
