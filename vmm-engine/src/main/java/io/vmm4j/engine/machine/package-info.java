/** Machine assembly: what connects vCPUs, devices, memory and host. */
@NullMarked
package io.vmm4j.engine.machine;

import org.jspecify.annotations.NullMarked;
