/**
 * A network in user mode: ARP, DHCP, ICMP, UDP and TCP in Java, over the host's ordinary sockets.
 *
 * <p>One thread for each network ({@code NetworkLoop}) does everything. The stack itself ({@code
 * UserStack}) knows neither threads nor sockets, only frames, a clock, and host sides.
 */
@NullMarked
package io.vmm4j.network;

import org.jspecify.annotations.NullMarked;
