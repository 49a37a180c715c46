package io.vmm4j.api;

import java.time.Duration;
import java.util.Map;

/**
 * Figures about a run.
 *
 * @param instructions executed by all vCPUs, or -1 if the backend does not count
 * @param running host time in which the machine was not paused
 * @param idle host time of that in which all vCPUs of its first thread were halted
 * @param counters others by name, such as {@code portExits} or {@code codeInvalidations}
 */
public record VmMetrics(
    long instructions, Duration running, Duration idle, Map<String, Long> counters) {}
