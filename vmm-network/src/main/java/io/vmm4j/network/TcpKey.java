package io.vmm4j.network;

/**
 * What a TCP connection is known by.
 *
 * @param guest the guest's address
 * @param guestPort the guest's port
 * @param remote the address that the guest speaks with
 * @param remotePort and its port
 */
record TcpKey(int guest, int guestPort, int remote, int remotePort) {}
