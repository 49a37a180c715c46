/** What is known of instructions before they are translated; nothing of any host. */
@NullMarked
package io.vmm4j.software.translate;

import org.jspecify.annotations.NullMarked;
