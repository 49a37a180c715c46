/** Boot sources: what a machine starts from. */
@NullMarked
package io.vmm4j.api.boot;

import org.jspecify.annotations.NullMarked;
