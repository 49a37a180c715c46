/** The software backend: vCPUs in pure Java. */
@NullMarked
package io.vmm4j.engine.software;

import org.jspecify.annotations.NullMarked;
