package io.vmm4j.engine.kvm;

/** Interrupt messages to one local APIC (Intel SDM volume 3, 11.11). */
final class ApicMessages {
  static final int INIT = 5;
  static final int STARTUP = 6;

  private static final long BASE = 0xFEE0_0000L;
  private static final int LEVEL_TRIGGERED = 1 << 15;
  private static final int ASSERTED = 1 << 14;

  private ApicMessages() {}

  /** The address that means the APIC of an id, 0 to 254. */
  static long address(int id) {
    return BASE | (long) id << 12;
  }

  static int levelTriggered(int vector) {
    return LEVEL_TRIGGERED | ASSERTED | vector;
  }

  static int of(int deliveryMode, int vector) {
    return deliveryMode << 8 | vector;
  }
}
