/** A machine under a test's control, and the contract that every device model keeps. */
@NullMarked
package io.vmm4j.testkit;

import org.jspecify.annotations.NullMarked;
