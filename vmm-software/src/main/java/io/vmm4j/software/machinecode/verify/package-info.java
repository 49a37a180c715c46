/**
 * Verifies machine code before it runs: a decoder of what may occur in it, the rules, and the paths
 * through a piece of code. Written from the Intel SDM, volume 2, and from what {@link
 * io.vmm4j.software.machinecode} promises; it shares nothing with what emits the code.
 */
@NullMarked
package io.vmm4j.software.machinecode.verify;

import org.jspecify.annotations.NullMarked;
