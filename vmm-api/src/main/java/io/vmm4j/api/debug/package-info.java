/** Debugging a guest from outside: breakpoints and steps of which it notices nothing. */
@NullMarked
package io.vmm4j.api.debug;

import org.jspecify.annotations.NullMarked;
