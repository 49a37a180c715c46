/**
 * Networks of machines: what lies between a network card's device model and the network that it is
 * connected to, and what a network offers to the machine's user.
 */
@NullMarked
package io.vmm4j.api.network;

import org.jspecify.annotations.NullMarked;
