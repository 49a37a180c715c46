/** Machine code for the software CPU: assembler, emitters, code memory, and what runs it. */
@NullMarked
package io.vmm4j.software.machinecode;

import org.jspecify.annotations.NullMarked;
