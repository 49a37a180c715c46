/**
 * What a user of the library writes against: specifications, running machines, consoles, snapshots.
 */
@NullMarked
package io.vmm4j.api;

import org.jspecify.annotations.NullMarked;
