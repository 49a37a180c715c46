/** The entry to the engine, found by the API through ServiceLoader. */
@NullMarked
package io.vmm4j.engine;

import org.jspecify.annotations.NullMarked;
