/** Unpacks Zstandard (RFC 8878), in arrays alone. It knows nothing of what is packed. */
@NullMarked
package io.vmm4j.devices.block.zstd;

import org.jspecify.annotations.NullMarked;
