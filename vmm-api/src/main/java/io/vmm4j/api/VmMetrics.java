package io.vmm4j.api;

import java.time.Duration;
import java.util.Map;

/**
 * Figures about a run. Where the software backend makes machine code, its counters are
 *
 * <ul>
 *   <li>{@code interpretedInstructions}: those that the interpreter executed,
 *   <li>{@code codeExits.…}: how often machine code was left, by reason: {@code interpret} for an
 *       instruction of the interpreter's, {@code load} and {@code store} for a page that was not
 *       translated yet, {@code page} and {@code lookup} for code that was not found, {@code taken}
 *       and {@code next} for a jump that was not linked, {@code budget}, {@code dead},
 *   <li>{@code codeTranslations}, {@code codeInvalidations}: blocks that were translated, and those
 *       of them whose bytes were written to later,
 *   <li>{@code codeReused}: blocks whose code was taken over from another machine, or from this one
 *       before an eviction,
 *   <li>{@code codeEvictions}: how often all code had to go to make room,
 *   <li>{@code codeBytes}, {@code codeTableBytes}: the memory that code and its tables take.
 * </ul>
 *
 * <p>While the JDK's Flight Recorder records, each machine emits them once a second as events
 * {@code io.vmm4j.Metric}, with its name, the figure's name and its value; durations are {@code
 * runningMicros} and {@code idleMicros}.
 *
 * @param instructions executed by all vCPUs, or -1 if the backend does not count
 * @param running host time in which the machine was not paused
 * @param idle host time of that in which all vCPUs of its first thread were halted
 * @param counters others by name, such as {@code portExits} or {@code timersFired}
 */
public record VmMetrics(
    long instructions, Duration running, Duration idle, Map<String, Long> counters) {}
