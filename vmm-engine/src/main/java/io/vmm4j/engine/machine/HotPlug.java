package io.vmm4j.engine.machine;

import io.vmm4j.api.VmSpec;
import io.vmm4j.api.device.DeviceConfig;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;

/** Adds devices to a machine that is there already, and takes them away. While it is held. */
final class HotPlug {
  private final Machine machine;

  HotPlug(Machine machine) {
    this.machine = machine;
  }

  /**
   * Adds a device.
   *
   * @throws IllegalArgumentException if the path can't be, or there is no such type
   * @throws io.vmm4j.api.DeviceException if it can't be made: nothing is left of it then
   */
  void attach(DeviceCatalog catalog, String path, DeviceConfig config) {
    VmSpec.pathFault(path)
        .ifPresent(fault -> {
          throw new IllegalArgumentException("path '%s': %s".formatted(path, fault));
        });
    machine.lock().lock();
    try {
      SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>(machine.plan().devices());
      if (devices.putIfAbsent(path, config) != null) {
        throw new IllegalArgumentException("there is a device '%s' already".formatted(path));
      }
      if (catalog.factory(config.deviceType()).isEmpty()) {
        throw new IllegalArgumentException("no device type '%s'".formatted(config.deviceType()));
      }
      try {
        machine.make(catalog, path, config, false).reset();
      } catch (Throwable e) {
        find(path)
            .ifPresent(made -> {
              machine.devices().remove(made);
              made.close();
            });
        release(path);
        throw e;
      }
      machine.replan(machine.plan().withDevices(devices));
    } finally {
      machine.lock().unlock();
    }
  }

  /**
   * Takes a device away.
   *
   * @throws IllegalArgumentException if there is none, or the machine can't be without it
   */
  void detach(String path) {
    machine.lock().lock();
    try {
      MachineDevice<?> found =
          find(path)
              .orElseThrow(
                  () -> new IllegalArgumentException("there is no device '%s'".formatted(path)));
      refuse(path);
      SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>(machine.plan().devices());
      devices.remove(path);
      machine.workers().quiesce();
      try {
        machine.devices().remove(found);
        found.close();
      } finally {
        release(path);
        machine.workers().resume();
      }
      machine.replan(machine.plan().withDevices(devices));
    } finally {
      machine.lock().unlock();
    }
  }

  private Optional<MachineDevice<?>> find(String path) {
    for (MachineDevice<?> device : machine.devices().keySet()) {
      if (device.path().equals(path)) {
        return Optional.of(device);
      }
    }
    return Optional.empty();
  }

  private boolean takesInterruptLines(String path) {
    return machine.devices().entrySet().stream()
        .anyMatch(e -> e.getKey().path().equals(path) && e.getValue().isInterruptController());
  }

  private void refuse(String path) {
    for (String other : machine.plan().devices().keySet()) {
      if (other.startsWith(path + "/")) {
        throw new IllegalArgumentException("'%s' is on '%s'".formatted(other, path));
      }
    }
    if (takesInterruptLines(path) || machine.consoles().containsKey(path)) {
      throw new IllegalArgumentException(
          "'%s' is an interrupt controller or has a console: it stays".formatted(path));
    }
  }

  /** Takes back whatever a device has of the machine. */
  private void release(String path) {
    machine.workers().release(path);
    machine.ports().release(path);
    machine.mmio().release(path);
    machine.lines().release(path);
    machine.messages().release(path);
    machine.control().timers().release(path);
    machine.control().tasks().release(path);
    machine.deviceMemories().release(path);
    machine.capabilities().release(path);
    machine.buses().release(path);
    machine.forgetNumber(path);
  }
}
