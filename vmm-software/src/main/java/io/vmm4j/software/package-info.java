/** The software backend: vCPUs in pure Java. */
@NullMarked
package io.vmm4j.software;

import org.jspecify.annotations.NullMarked;
