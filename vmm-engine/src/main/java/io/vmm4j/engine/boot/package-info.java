/** Boot loaders: from an image in a known format to guest memory and the first register state. */
@NullMarked
package io.vmm4j.engine.boot;

import org.jspecify.annotations.NullMarked;
