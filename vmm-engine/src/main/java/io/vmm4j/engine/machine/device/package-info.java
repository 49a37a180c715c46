/** What devices get from their machine. */
@NullMarked
package io.vmm4j.engine.machine.device;

import org.jspecify.annotations.NullMarked;
