/** The snapshot container: chunks, state codec, memory pages. */
@NullMarked
package io.vmm4j.snapshot;

import org.jspecify.annotations.NullMarked;
