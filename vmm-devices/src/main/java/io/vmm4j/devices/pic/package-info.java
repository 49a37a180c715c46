/** The pair of 8259A interrupt controllers. */
@NullMarked
package io.vmm4j.devices.pic;

import org.jspecify.annotations.NullMarked;
