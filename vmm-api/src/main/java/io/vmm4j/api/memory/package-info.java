/** Guest memory as devices and users see it. */
@NullMarked
package io.vmm4j.api.memory;

import org.jspecify.annotations.NullMarked;
