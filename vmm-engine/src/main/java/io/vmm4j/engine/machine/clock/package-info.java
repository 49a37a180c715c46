/** The machine's one clock, real or virtual, and its timers. */
@NullMarked
package io.vmm4j.engine.machine.clock;

import org.jspecify.annotations.NullMarked;
