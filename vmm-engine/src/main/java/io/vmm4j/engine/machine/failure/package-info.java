/** What becomes of errors inside device models. */
@NullMarked
package io.vmm4j.engine.machine.failure;

import org.jspecify.annotations.NullMarked;
