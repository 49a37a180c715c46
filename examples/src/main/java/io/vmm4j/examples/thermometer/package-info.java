/**
 * A device of one's own, as one would write it outside this project: its registers and an interrupt
 * ({@link Thermometer}), its configuration, its state record, its factory, and the guest code that
 * drives it (alarm.s, in the resources).
 */
@NullMarked
package io.vmm4j.examples.thermometer;

import org.jspecify.annotations.NullMarked;
