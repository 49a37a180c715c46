package io.vmm4j.api.device;

import java.util.OptionalLong;

/**
 * A range of ports or of guest physical addresses whose accesses reach one handler.
 *
 * <p><b>Nobody is refused a place.</b> While a guest sizes and moves its BARs, ranges overlap for a
 * moment. Then one of them is seen, and what lies below it is seen again when it goes:
 *
 * <ol>
 *   <li>RAM comes first;
 *   <li>then claims whose place the board fixes, which are made with it;
 *   <li>then claims that are made without a place, and mappings of device memory: those of the
 *       device made earlier come first, and of one device its claims, in the order of their making;
 *   <li>RAM from 768 KiB to 1 MiB comes last.
 * </ol>
 *
 * <p>An access reaches the range that is seen at its first byte, in the largest pieces that it
 * takes.
 */
public interface AddressClaim {

  /**
   * Puts it on the bus, wherever it was before. What lies beyond the end of the bus in part is seen
   * nowhere, as where a negative place is given.
   */
  void moveTo(long base);

  /** Takes it off the bus; {@link #moveTo} brings it back. */
  void disable();

  /** Whether all of it is seen: it is on the bus, and nothing that comes first covers a part. */
  boolean isSeen();

  /**
   * Makes one register of the range a doorbell: a guest's store there runs an action instead of the
   * handler's {@code write}. The doorbell goes where the claim goes and is off the bus with it. All
   * accesses but the stores meant here reach the handler.
   *
   * <p>The action runs soon, with the machine lock held: at the store itself, or, where the backend
   * can tell of a store without leaving the guest (ioeventfd), later, while the guest goes on. So
   * several stores may be one call, and what the guest does after a store may come before the
   * action: a device looks at all that there is to do, not at how often the bell has rung. No ring
   * is lost: when the machine stands, be it for a pause or a snapshot, each has been answered.
   *
   * @param offset of the register in the range
   * @param size of the store in bytes: 1, 2 or 4, in a window also 8; no wider than the claim
   * @param value only a store of this value rings, if it is given; bits above the size are ignored
   * @param action called with the machine lock held, never by two threads at a time
   * @throws io.vmm4j.api.DeviceException if the register lies outside, or one store would ring
   *     another doorbell of the claim too
   */
  void doorbell(long offset, int size, OptionalLong value, Runnable action);

  /** Where it was put, or -1 while off the bus. */
  long base();
}
