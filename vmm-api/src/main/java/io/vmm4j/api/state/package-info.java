/** State records: how a record maps to versioned fields of the snapshot format. */
@NullMarked
package io.vmm4j.api.state;

import org.jspecify.annotations.NullMarked;
