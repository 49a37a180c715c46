package io.vmm4j.devices.hpet;

/**
 * One timer of the block (IA-PC HPET specification 1.0a, 2.3.8 to 2.3.10). It compares; the block
 * has the counter and raises interrupts.
 */
final class HpetTimer {
  private static final int LEVEL_TRIGGERED = 1 << 1;
  private static final int INTERRUPT_ENABLE = 1 << 2;
  private static final int PERIODIC = 1 << 3;
  private static final int SET_VALUE = 1 << 6;
  private static final int MODE_32 = 1 << 8;
  private static final int ROUTE_SHIFT = 9;
  private static final int ROUTE = 0x1F << ROUTE_SHIFT;
  private static final int MESSAGE_ENABLE = 1 << 14;

  /** What can be written; SET_VALUE is cleared by the next write of the comparator. */
  private static final int WRITABLE =
      LEVEL_TRIGGERED | INTERRUPT_ENABLE | PERIODIC | SET_VALUE | MODE_32 | ROUTE | MESSAGE_ENABLE;

  /** Capabilities: periodic, 64 bits, messages. */
  private static final int CAPABILITIES = 1 << 4 | 1 << 5 | 1 << 15;

  private static final long LOW_HALF = 0xFFFF_FFFFL;

  private int configuration;
  private long comparator;
  private long period;
  private int messageValue;
  private int messageAddress;

  /** The counter up to which matches have been seen. */
  private long checkedAt;

  void reset() {
    configuration = 0;
    comparator = -1;
    period = 0;
    messageValue = 0;
    messageAddress = 0;
    checkedAt = 0;
  }

  private boolean is(int bit) {
    return (configuration & bit) != 0;
  }

  boolean isInterruptEnabled() {
    return is(INTERRUPT_ENABLE);
  }

  boolean isLevelTriggered() {
    return is(LEVEL_TRIGGERED);
  }

  /** Whether it sends a message instead of driving a line. */
  boolean sendsMessage() {
    return is(MESSAGE_ENABLE);
  }

  /** The interrupt line that it drives. */
  int route() {
    return (configuration & ROUTE) >> ROUTE_SHIFT;
  }

  int messageValue() {
    return messageValue;
  }

  /** Zero-extended. */
  long messageAddress() {
    return messageAddress & LOW_HALF;
  }

  // ---- registers ----

  /** TIMn_CONF. */
  long configuration() {
    return Hpet.ROUTES << 32 | CAPABILITIES | configuration;
  }

  /** Writes the bits of a mask in TIMn_CONF. */
  void writeConfiguration(long value, long mask, long counter) {
    int before = configuration;
    configuration = (int) (configuration & ~mask | value & mask & WRITABLE);
    if ((1L << route() & Hpet.ROUTES) == 0) {
      configuration = configuration & ~ROUTE | before & ROUTE; // not connected: read back as it was
    }
    if (is(MODE_32)) {
      comparator &= LOW_HALF;
      period &= LOW_HALF;
    }
    checkedAt = counter;
  }

  /** TIMn_COMP. */
  long comparator() {
    return comparator;
  }

  /** Writes the bits of a mask in TIMn_COMP; in periodic mode it is the period. */
  void writeComparator(long value, long mask, long counter) {
    long width = is(MODE_32) ? LOW_HALF : -1;
    if (!is(PERIODIC) || is(SET_VALUE)) {
      comparator = (comparator & ~mask | value & mask) & width;
    }
    if (is(PERIODIC)) {
      period = (period & ~mask | value & mask) & width;
    }
    configuration &= ~SET_VALUE;
    checkedAt = counter;
  }

  /** TIMn_FSB_INT_VAL and, in the upper half, TIMn_FSB_INT_ADDR. */
  long message() {
    return (long) messageAddress << 32 | messageValue & LOW_HALF;
  }

  void writeMessage(long value, long mask) {
    long written = message() & ~mask | value & mask;
    messageValue = (int) written;
    messageAddress = (int) (written >>> 32);
  }

  // ---- time ----

  /** The counter is another from now on: what lies between is no match. */
  void counterSet(long counter) {
    checkedAt = counter;
  }

  /** How many ticks after {@code counter} it matches next; unsigned, 0 being now. */
  private long distance(long counter) {
    long distance = comparator - counter;
    return is(MODE_32) ? distance & LOW_HALF : distance;
  }

  /** Looks whether the counter has met the comparator since the last look. */
  boolean advance(long counter) {
    long passed = counter - checkedAt;
    // A match at the very count of the last look was seen then.
    long next = distance(checkedAt + 1);
    checkedAt = counter;
    if (Long.compareUnsigned(next, passed) >= 0) {
      return false;
    }
    if (is(PERIODIC) && period != 0) {
      long late = passed - 1 - next;
      long periods = Long.divideUnsigned(late, period) + 1;
      comparator += periods * period;
      if (is(MODE_32)) {
        comparator &= LOW_HALF;
      }
    }
    return true;
  }

  /** Ticks from a counter that has been looked at until the next match, at least 1; unsigned. */
  long ticksToMatch(long counter) {
    long ticks = distance(counter + 1) + 1;
    return ticks == 0 ? -1 : ticks;
  }

  /** The least time until the next interrupt, in nanoseconds: a short period is no storm. */
  long leastNanos() {
    return is(PERIODIC) ? Hpet.LEAST_PERIOD_NANOS : 0;
  }

  // ---- state ----

  HpetState.HpetTimerState save() {
    return new HpetState.HpetTimerState(
        configuration, comparator, period, messageValue, messageAddress, checkedAt);
  }

  void restore(HpetState.HpetTimerState state) {
    configuration = state.configuration() & WRITABLE;
    if ((1L << route() & Hpet.ROUTES) == 0) {
      configuration &= ~ROUTE;
    }
    comparator = state.comparator();
    period = state.period();
    messageValue = state.messageValue();
    messageAddress = state.messageAddress();
    checkedAt = state.checkedAt();
  }
}
