/** The lines of the control protocol: read and written here and nowhere else. */
@NullMarked
package io.vmm4j.control.protocol;

import org.jspecify.annotations.NullMarked;
