/** The one clock of a machine. */
@NullMarked
package io.vmm4j.api.clock;

import org.jspecify.annotations.NullMarked;
