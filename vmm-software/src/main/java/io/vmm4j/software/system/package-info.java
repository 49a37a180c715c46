/**
 * System instructions: segmentation, exceptions and interrupts, far transfers, control registers,
 * MSRs, CPUID.
 */
@NullMarked
package io.vmm4j.software.system;

import org.jspecify.annotations.NullMarked;
