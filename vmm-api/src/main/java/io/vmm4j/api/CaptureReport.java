package io.vmm4j.api;

import java.time.Duration;

/**
 * What it took to take a snapshot.
 *
 * @param total host time from the call to the machine's state being captured
 * @param paused host time of that in which the guest stood
 * @param passes how often memory was copied, the last time with the guest standing
 * @param pagesCopied how many pages of 4 KiB were copied in all passes
 * @param pagesWhilePaused how many of them while the guest stood
 */
public record CaptureReport(
    Duration total, Duration paused, int passes, long pagesCopied, long pagesWhilePaused) {}
