package io.vmm4j.engine.machine.device;

import io.vmm4j.api.DeviceException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/** What devices offer to the machine's user, by type and path. Any thread. */
public final class Capabilities {
  private final Map<Class<?>, SequencedMap<String, Object>> offers = new LinkedHashMap<>();

  /**
   * Adds an offer.
   *
   * @throws DeviceException if the device has offered one of this type
   */
  public synchronized <T> void offer(String path, Class<T> type, T endpoint) {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(endpoint, "endpoint");
    Object known =
        offers.computeIfAbsent(type, t -> new LinkedHashMap<>()).putIfAbsent(path, endpoint);
    if (known != null) {
      throw new DeviceException(path, "it offers a %s already".formatted(words(type)));
    }
  }

  /**
   * The offer of a device.
   *
   * @throws IllegalArgumentException if it has none of the type; names the devices that have
   */
  public <T> T device(String path, Class<T> type) {
    Objects.requireNonNull(path, "path");
    SequencedMap<String, T> all = devices(type);
    T endpoint = all.get(path);
    if (endpoint == null) {
      throw new IllegalArgumentException(
          "no %s '%s'; devices with one are: %s"
              .formatted(
                  words(type), path, all.isEmpty() ? "none" : String.join(", ", all.keySet())));
    }
    return endpoint;
  }

  /** The name of a type as a reader takes it: power button. */
  private static String words(Class<?> type) {
    return type.getSimpleName().replaceAll("(?<=\\p{Ll})(?=\\p{Lu})", " ").toLowerCase(Locale.ROOT);
  }

  /** Takes back what a device has offered. */
  public synchronized void release(String path) {
    offers.values().forEach(known -> known.remove(path));
  }

  /** All offers of a type, by path, in the order in which they were made. */
  public synchronized <T> SequencedMap<String, T> devices(Class<T> type) {
    Objects.requireNonNull(type, "type");
    SequencedMap<String, T> all = new LinkedHashMap<>();
    SequencedMap<String, Object> known = offers.get(type);
    if (known != null) {
      known.forEach((path, endpoint) -> all.put(path, type.cast(endpoint)));
    }
    return all;
  }
}
