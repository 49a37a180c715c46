package io.vmm4j.testkit.planted;

/** What may be wrong with an {@link AlarmClock}. */
enum Fault {
  THROWS,
  LATE_BELL,
  SHY_BELL,
  RESTORE_FORGETS_FIELD,
  RESTORE_FORGETS_TIMER,
  RESTORE_FORGETS_LINE,
  RESET_FORGETS_TIMER,
  RESET_FORGETS_FLAG,
  LENGTH_WITHOUT_BOUND
}
