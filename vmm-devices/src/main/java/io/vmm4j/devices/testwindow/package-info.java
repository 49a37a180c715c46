/** A device memory window that its guest moves, for tests. */
@NullMarked
package io.vmm4j.devices.testwindow;

import org.jspecify.annotations.NullMarked;
