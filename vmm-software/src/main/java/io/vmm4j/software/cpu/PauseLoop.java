package io.vmm4j.software.cpu;

import java.util.concurrent.locks.LockSupport;

/**
 * PAUSE where vCPUs run in parallel: one that waits in a loop lets others have the host's processor
 * after a while. There may be more vCPUs than processors, and the one that is waited for may have
 * none.
 */
final class PauseLoop {
  /** PAUSEs that are at most so many instructions apart are of one loop. */
  private static final int FAR = 100;

  /** After so many of them, some 5 to 10 microseconds, another thread may run. */
  private static final int MOST_PAUSES = 50;

  /** How often that is tried before it sleeps. */
  private static final int MOST_YIELDS = 4;

  /** How long it sleeps. */
  private static final long SLEEP_NANOS = 50_000;

  private final Cpu cpu;
  private long last;
  private int pauses;

  PauseLoop(Cpu cpu) {
    this.cpu = cpu;
  }

  /** Executes PAUSE. */
  void pause() {
    if (!cpu.parallel) {
      return;
    }
    long now = cpu.instructions + cpu.blockIndex;
    pauses = now - last <= FAR ? pauses + 1 : 0;
    last = now;
    if (pauses > 0 && pauses % MOST_PAUSES == 0) {
      letOthersRun();
    }
    if (cpu.signals() != 0) {
      cpu.leaveBlock(LeaveReason.SIGNAL);
    }
  }

  private void letOthersRun() {
    boolean out = cpu.member.goOut();
    if (pauses <= MOST_YIELDS * MOST_PAUSES) {
      Thread.yield();
    } else {
      LockSupport.parkNanos(SLEEP_NANOS); // an event ends it at once
      pauses -= MOST_PAUSES;
    }
    if (out) {
      cpu.member.comeBack();
    }
  }
}
