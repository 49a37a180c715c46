/** A test kit for device models: what every one of them must keep. */
@NullMarked
package io.vmm4j.devices.contract;

import org.jspecify.annotations.NullMarked;
