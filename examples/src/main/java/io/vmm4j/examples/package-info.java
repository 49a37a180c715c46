/** Programs a newcomer runs and copies. */
@NullMarked
package io.vmm4j.examples;

import org.jspecify.annotations.NullMarked;
