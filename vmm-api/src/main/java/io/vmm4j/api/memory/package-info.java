/** Guest physical memory as the host sees it. */
@NullMarked
package io.vmm4j.api.memory;

import org.jspecify.annotations.NullMarked;
