package io.vmm4j.devices.watchdog;

/** What happens when a guest has not kept its watchdog quiet. */
public enum WatchdogAction {
  /** The machine ends, as reset by its watchdog. */
  RESET,
  /** The machine ends, as if the guest had switched it off. */
  POWER_OFF,
  /** The log says so, and the guest finds the mark of a timeout. */
  NOTHING
}
