package io.vmm4j.api.network;

/**
 * How much has gone through a network since it was connected.
 *
 * @param fromGuest frames that the guest has sent
 * @param toGuest frames for the guest
 * @param dropped frames for the guest, or from it, that found no room
 * @param refused frames from the guest that made no sense or were not allowed
 * @param connections TCP connections that there are now
 */
public record NetworkCounters(
    long fromGuest, long toGuest, long dropped, long refused, int connections) {}
