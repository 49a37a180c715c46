/** What devices say in firmware tables. */
@NullMarked
package io.vmm4j.api.firmware;

import org.jspecify.annotations.NullMarked;
