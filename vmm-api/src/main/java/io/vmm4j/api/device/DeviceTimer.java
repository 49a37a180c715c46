package io.vmm4j.api.device;

/** A one-shot timer of the machine's clock. */
public interface DeviceTimer {

  /** Arms it (again) for a guest time; a time that has passed fires at once, not in this call. */
  void armAt(long nanoTime);

  /** Disarms it. */
  void cancel();

  /** Whether it is armed. */
  boolean isArmed();
}
