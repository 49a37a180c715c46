package io.vmm4j.api.backend;

/** What a vCPU does (Intel SDM volume 3, 25.4.2). */
public enum ActivityState {
  /** Executes instructions. */
  RUNNING,
  /** Stopped by HLT until an interrupt. */
  HALTED,
  /** Has taken INIT and waits for a start-up message. */
  WAIT_FOR_STARTUP,
  /** Stopped by a triple fault. */
  SHUTDOWN
}
