/** Records written for the snapshot format, and the schemas that version them. */
@NullMarked
package io.vmm4j.api.state;

import org.jspecify.annotations.NullMarked;
