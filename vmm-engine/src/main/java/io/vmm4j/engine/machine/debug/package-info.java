/** Linear addresses for debuggers, whatever the backend. */
@NullMarked
package io.vmm4j.engine.machine.debug;

import org.jspecify.annotations.NullMarked;
