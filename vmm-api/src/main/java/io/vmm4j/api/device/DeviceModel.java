package io.vmm4j.api.device;

import java.util.UUID;

/**
 * A device of a machine.
 *
 * <p><b>Lifecycle.</b> {@link DeviceFactory#create} makes it whole. Then come {@code reset}, guest
 * accesses, timers, {@code save} in any number, and {@code close} at the end. A restored device
 * sees {@code create}, {@code reset}, {@code restore}, and goes on.
 *
 * <p><b>Threads.</b> Every method here, and every handler given to the {@link DeviceContext}, is
 * called with the machine lock held: a device needs no locks of its own. What takes long is done by
 * a {@link DeviceWorker}. A thread of the device's own enters through {@link
 * DeviceContext#execute}, and is kept from guest memory between {@link #quiesce} and {@link
 * #resume}.
 *
 * <p><b>Failure.</b> A guest can write anything to a device at any time; no guest action may make
 * it throw. What it throws nevertheless ends the machine as crashed, with the device's path.
 *
 * @param <S> the state: a record made for the file, not the fields of the class
 */
public interface DeviceModel<S extends Record> extends AutoCloseable {

  /** Returns to the state after power-on. */
  void reset();

  /**
   * Keeps the device's own threads out of guest memory: the machine stands, and is to be saved or
   * restored as a whole. When this returns none of them reaches guest memory, and each request is
   * either not begun or finished. What they have left to {@link DeviceContext#execute} is done
   * before the state is looked at. A device without threads of its own, or with {@linkplain
   * DeviceWorker workers} alone, has nothing to do.
   *
   * <p>It is called with the machine lock held, which no thread of a device waits for.
   */
  default void quiesce() {}

  /** Lets the device's own threads go on: called once after each {@link #quiesce}. */
  default void resume() {}

  /** The present state. Changes nothing. */
  S save();

  /**
   * Takes on a saved state: registers, the level of its interrupt lines, timers, the mapping of its
   * device memory. It touches no other device; memory and interrupt controllers have been restored
   * before.
   *
   * @throws IllegalArgumentException if a value is out of range; the message names it
   */
  void restore(S state);

  /**
   * The machine has been restored as a clone, and others like it may run: called after every device
   * was restored, before the guest goes on. A device that gives the guest an identity takes a new
   * one here and tells the guest.
   *
   * @param identity of the clone, new for each
   */
  default void becomeClone(UUID identity) {}

  /** Releases host resources. May be called more than once. */
  @Override
  default void close() {}
}
