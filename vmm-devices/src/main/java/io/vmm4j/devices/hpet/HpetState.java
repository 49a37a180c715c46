package io.vmm4j.devices.hpet;

import io.vmm4j.devices.Checks;
import java.util.List;

/**
 * State of the timer block; registers by the specification's names.
 *
 * @param enabled ENABLE_CNF of GEN_CONF: whether the main counter counts
 * @param counter the main counter while it stands
 * @param counterOffset the main counter less the clock's ticks of 10 ns, while it counts
 * @param interruptStatus GINTR_STA
 * @param timers by number
 */
public record HpetState(
    boolean enabled,
    long counter,
    long counterOffset,
    int interruptStatus,
    List<HpetTimerState> timers) {

  /** Checks ranges. */
  public HpetState {
    timers = List.copyOf(timers);
    Checks.range("timers", timers.size(), 3, 32);
  }

  /**
   * State of one timer.
   *
   * @param configuration the bits of TIMn_CONF that can be written
   * @param comparator TIMn_COMP: when it fires next
   * @param period what is added to the comparator each time, in periodic mode
   * @param messageValue TIMn_FSB_INT_VAL
   * @param messageAddress TIMn_FSB_INT_ADDR
   * @param checkedAt the main counter up to which matches have been seen
   */
  public record HpetTimerState(
      int configuration,
      long comparator,
      long period,
      int messageValue,
      int messageAddress,
      long checkedAt) {}
}
