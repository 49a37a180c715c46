package io.vmm4j.devices.watchdog;

import io.vmm4j.api.pci.PciFunctionState;
import java.util.Optional;

/**
 * State of a watchdog.
 *
 * @param pci of the function; it holds the configuration and the lock register
 * @param firstTicks the preload value of the first stage
 * @param secondTicks the preload value of the second stage
 * @param unlocking how many of the two values have been written that let a register be written
 * @param secondStage whether the second stage runs
 * @param timedOut whether it has expired since the mark was last taken away
 * @param expiresAt the guest time in nanoseconds at which the stage ends, while it runs
 */
public record WatchdogState(
    PciFunctionState pci,
    int firstTicks,
    int secondTicks,
    int unlocking,
    boolean secondStage,
    boolean timedOut,
    Optional<Long> expiresAt) {}
