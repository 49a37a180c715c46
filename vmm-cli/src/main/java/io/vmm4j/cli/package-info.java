/** The command line. */
@NullMarked
package io.vmm4j.cli;

import org.jspecify.annotations.NullMarked;
