package io.vmm4j.api.device;

/**
 * An interrupt message that any thread may send, without the machine lock: what a thread of a
 * device's own raises when it has done its work. Where the backend can, it goes to the processors
 * past the machine (irqfd).
 */
public interface InterruptSignal {

  /**
   * Says which message it is. Until then, and after {@link #mute}, it is mute. With the machine
   * lock held.
   *
   * @param address as {@link MessageInterrupts#send} takes it
   * @param data as {@link MessageInterrupts#send} takes it, edge-triggered
   * @throws IllegalArgumentException if the message is level-triggered
   */
  void route(long address, int data);

  /**
   * Makes it mute: what is raised is dropped, as what is raised and not yet sent. With the lock.
   */
  void mute();

  /**
   * Sends the message: before this returns if the calling thread holds the machine lock, else soon.
   * Several calls before it is sent are one. While the machine stands it waits until the machine
   * goes on, and is no part of a snapshot: a device keeps in its state what it has to tell the
   * guest, and raises the signal again when it is restored. From any thread; does nothing once the
   * machine has ended.
   */
  void raise();
}
