/**
 * The backend SPI: what executes guest instructions, and the architectural state it takes and
 * gives.
 */
@NullMarked
package io.vmm4j.api.backend;

import org.jspecify.annotations.NullMarked;
