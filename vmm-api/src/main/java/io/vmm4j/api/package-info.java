/** The types a user of vmm4j writes against: specification, machine, console, snapshot. */
@NullMarked
package io.vmm4j.api;

import org.jspecify.annotations.NullMarked;
