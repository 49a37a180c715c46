/**
 * Random user-mode code on two processors, which have to come to the same: {@link
 * io.vmm4j.software.differential.Campaign} runs it, docs/differential.md tells about it.
 */
@NullMarked
package io.vmm4j.software.differential;

import org.jspecify.annotations.NullMarked;
