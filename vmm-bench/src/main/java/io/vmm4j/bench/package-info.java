/** The measurements behind docs/benchmarks.md. Nothing depends on this module. */
@NullMarked
package io.vmm4j.bench;

import org.jspecify.annotations.NullMarked;
