/** The software processor: decoder, block cache, interpreter, memory management unit. */
@NullMarked
package io.vmm4j.engine.software.cpu;

import org.jspecify.annotations.NullMarked;
