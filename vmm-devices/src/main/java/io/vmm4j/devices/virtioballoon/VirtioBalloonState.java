package io.vmm4j.devices.virtioballoon;

import io.vmm4j.devices.virtio.VirtioState;

/**
 * State of a balloon.
 *
 * @param virtio of the transport
 * @param wantedPages how many pages the guest is to give
 * @param givenPages how many it has given, as it says
 */
public record VirtioBalloonState(VirtioState virtio, int wantedPages, int givenPages) {}
