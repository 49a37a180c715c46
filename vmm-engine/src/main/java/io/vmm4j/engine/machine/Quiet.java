package io.vmm4j.engine.machine;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmStoppedException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Keeps the devices of a machine from their work while it is looked at or changed as a whole:
 * "Devices at work" in docs/threads.md.
 */
final class Quiet {
  private static final String LOOK = "look at what was written";

  private final Machine machine;

  Quiet(Machine machine) {
    this.machine = machine;
  }

  /**
   * Does something while no device is at work: no thread of a device is inside guest memory, each
   * request is either not begun or finished, and nothing that a device was to do soon is left.
   * While the machine is held, or not started yet; without the machine lock.
   */
  <T> T during(Supplier<T> action) {
    List<MachineDevice<?>> quiet = new ArrayList<>();
    try {
      machine.lock().lock();
      try {
        machine.workers().quiesce();
        for (MachineDevice<?> device : machine.devices().keySet()) {
          quiet.add(device);
          device.quiesce();
        }
        machine.control().tasks().runDevices();
      } finally {
        machine.lock().unlock();
      }
      return action.get();
    } finally {
      machine.lock().lock();
      try {
        quiet.reversed().forEach(this::resume);
      } finally {
        machine.workers().resume();
        machine.lock().unlock();
      }
    }
  }

  private void resume(MachineDevice<?> device) {
    try {
      device.resume();
    } catch (DeviceException e) {
      machine.control().failed(device.path(), "resume", e);
    }
  }

  /** Does something while the machine stands and all that was written is noted. */
  <T> T whileHarvested(Supplier<T> action) {
    return machine
        .control()
        .holding()
        .whileHeld(
            LOOK,
            false,
            () -> {
              if (machine.isClosed()) {
                throw new VmStoppedException(
                    LOOK, machine.control().exit().orElseGet(VmExit.Stopped::new));
              }
              machine.harvestWrites();
              return action.get();
            });
  }
}
