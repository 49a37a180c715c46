/** Guest images for the demo and the tests. */
@NullMarked
package io.vmm4j.guests;

import org.jspecify.annotations.NullMarked;
