/** Floating point and SIMD of the software CPU: x87, MMX, SSE to SSE4.2. */
@NullMarked
package io.vmm4j.software.fpu;

import org.jspecify.annotations.NullMarked;
