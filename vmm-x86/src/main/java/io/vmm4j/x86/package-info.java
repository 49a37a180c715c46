/** Numbers of the processor's architecture that boot loaders and backends share. */
@NullMarked
package io.vmm4j.x86;

import org.jspecify.annotations.NullMarked;
