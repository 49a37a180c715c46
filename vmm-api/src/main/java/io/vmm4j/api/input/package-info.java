/** What people hold in their hands: keyboards and pointing devices of a machine. */
@NullMarked
package io.vmm4j.api.input;

import org.jspecify.annotations.NullMarked;
