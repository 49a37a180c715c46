/** What each command does to the machine. */
@NullMarked
package io.vmm4j.control.command;

import org.jspecify.annotations.NullMarked;
