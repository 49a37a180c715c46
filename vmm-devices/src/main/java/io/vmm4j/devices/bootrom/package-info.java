/** A firmware image under 4 GiB and under 1 MiB. */
@NullMarked
package io.vmm4j.devices.bootrom;

import org.jspecify.annotations.NullMarked;
