/** Built-in device models, one package each. */
@NullMarked
package io.vmm4j.devices;

import org.jspecify.annotations.NullMarked;
