/** Who runs when: vCPU threads, the event loop, pausing, stepping and ending (docs/threads.md). */
@NullMarked
package io.vmm4j.engine.machine.run;

import org.jspecify.annotations.NullMarked;
