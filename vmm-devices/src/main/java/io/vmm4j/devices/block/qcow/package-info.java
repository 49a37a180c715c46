/** Disk images of QEMU's qcow2 format ("docs/interop/qcow2"), versions 2 and 3. */
@NullMarked
package io.vmm4j.devices.block.qcow;

import org.jspecify.annotations.NullMarked;
