package io.vmm4j.api.clock;

/** How guest time passes. */
public enum ClockMode {
  /**
   * Guest time follows the host's monotonic clock while the machine runs and stands while it is
   * paused.
   */
  REAL,
  /**
   * Guest time is counted in executed instructions and skips idle time, so that a run repeats
   * exactly. Software backend only.
   */
  VIRTUAL
}
