/** The software processor: decoder, block cache, interpreter, memory management unit. */
@NullMarked
package io.vmm4j.software.cpu;

import org.jspecify.annotations.NullMarked;
