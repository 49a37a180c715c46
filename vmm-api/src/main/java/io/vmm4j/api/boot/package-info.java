/**
 * What a machine starts from: kernels in the formats that loaders know, flat images, firmware ROMs.
 */
@NullMarked
package io.vmm4j.api.boot;

import org.jspecify.annotations.NullMarked;
