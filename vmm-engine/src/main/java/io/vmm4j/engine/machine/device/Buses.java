package io.vmm4j.engine.machine.device;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.DeviceBus;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** What devices are to the devices below their paths. With the machine lock held. */
public final class Buses {
  private final Map<String, Map<Class<?>, Object>> buses = new HashMap<>();

  /**
   * Makes a device a bus.
   *
   * @throws DeviceException if it is one of this type
   */
  public <T> void offer(String path, Class<T> type, T bus) {
    Objects.requireNonNull(bus, "bus");
    Object known =
        buses.computeIfAbsent(path, p -> new HashMap<>()).putIfAbsent(type, type.cast(bus));
    if (known != null) {
      throw new DeviceException(path, "it is a %s already".formatted(type.getSimpleName()));
    }
  }

  /** A device is gone: it is no bus any more, and the nearest bus above forgets it. */
  public void release(String path) {
    buses.remove(path);
    for (int end = path.lastIndexOf('/'); end >= 0; end = path.lastIndexOf('/', end - 1)) {
      Map<Class<?>, Object> above = buses.get(path.substring(0, end));
      if (above != null) {
        for (Object bus : above.values()) {
          if (bus instanceof DeviceBus told) {
            told.deviceRemoved(path);
          }
        }
        return;
      }
    }
  }

  /**
   * The bus of a type that is nearest above a device.
   *
   * @throws DeviceException if there is none
   */
  public <T> T above(String path, Class<T> type) {
    int end = path.lastIndexOf('/');
    for (; end >= 0; end = path.lastIndexOf('/', end - 1)) {
      Object bus = buses.getOrDefault(path.substring(0, end), Map.of()).get(type);
      if (bus != null) {
        return type.cast(bus);
      }
    }
    throw new DeviceException(
        path,
        "there is no %s above it: its path must lie below the path of one"
            .formatted(type.getSimpleName()));
  }
}
