/** The clock of a machine, in real or virtual time. */
@NullMarked
package io.vmm4j.api.clock;

import org.jspecify.annotations.NullMarked;
