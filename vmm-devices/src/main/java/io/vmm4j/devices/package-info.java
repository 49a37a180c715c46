/**
 * Built-in device models, one package each, written against the same SPI as anybody else's. Each
 * package has the same files: the device, its configuration, its state as it stands in a snapshot,
 * and its factory.
 */
@NullMarked
package io.vmm4j.devices;

import org.jspecify.annotations.NullMarked;
