/** The boards: what a machine has without being asked. */
@NullMarked
package io.vmm4j.devices.board;

import org.jspecify.annotations.NullMarked;
