/** The VM generation id: tells a guest that it has become a clone. */
@NullMarked
package io.vmm4j.devices.vmgenid;

import org.jspecify.annotations.NullMarked;
