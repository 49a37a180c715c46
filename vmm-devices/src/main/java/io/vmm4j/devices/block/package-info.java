/** What the contents of disks lie in, on the host. It knows nothing of devices that show them. */
@NullMarked
package io.vmm4j.devices.block;

import org.jspecify.annotations.NullMarked;
