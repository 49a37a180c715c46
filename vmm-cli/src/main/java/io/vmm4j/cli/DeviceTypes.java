package io.vmm4j.cli;

import io.vmm4j.api.device.DeviceFactory;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The types of devices that are present. */
final class DeviceTypes {
  private final Map<String, DeviceFactory<?, ?>> factories = new TreeMap<>();

  DeviceTypes(Iterable<? extends DeviceFactory<?, ?>> present) {
    present.forEach(factory -> factories.putIfAbsent(factory.type(), factory));
  }

  /** Those that {@link ServiceLoader} finds. */
  @SuppressWarnings("rawtypes")
  static DeviceTypes present() {
    java.util.List<DeviceFactory<?, ?>> found = new java.util.ArrayList<>();
    for (DeviceFactory factory : ServiceLoader.load(DeviceFactory.class)) {
      found.add((DeviceFactory<?, ?>) factory);
    }
    return new DeviceTypes(found);
  }

  Optional<DeviceFactory<?, ?>> find(String type) {
    return Optional.ofNullable(factories.get(type));
  }

  Collection<String> names() {
    return factories.keySet();
  }

  /** A page about every type and its options. */
  String describe() {
    StringBuilder text = new StringBuilder("Devices for --device TYPE[,key=value…]:\n");
    for (DeviceFactory<?, ?> factory : factories.values()) {
      text.append('\n').append(factory.type()).append(": ").append(factory.summary()).append('\n');
      Map<String, Object> defaults = factory.configSchema().defaults().asMap();
      factory
          .configSchema()
          .components()
          .forEach((name, form) ->
              text.append(
                  "    %-16s %s%s%n"
                      .formatted(
                          name,
                          FieldValue.describe(form),
                          defaults.containsKey(name)
                              ? ", default " + FieldValue.text(defaults.get(name))
                              : "")));
    }
    return text.append(
            """

            Every type also takes path=PATH, its place in the machine (default: the type and a
            number). A comma in a value is written twice. Numbers may be decimal, 0x1F0, or 4M.
            """)
        .toString();
  }
}
